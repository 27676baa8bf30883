"""Storyboard turns a story into a finished manga book on the writer's own machine."""

__version__ = "0.1.0"
