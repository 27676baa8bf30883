"""Turns a story into a plan: small closed questions to a local language model, each checked."""
