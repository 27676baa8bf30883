"""Models by name: which there are, where they lie, how they come and go."""
