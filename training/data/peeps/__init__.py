"""Synthetic manga pages of CC0 line-art people."""
