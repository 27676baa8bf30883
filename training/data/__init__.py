"""Annotated pages, and the arrays that training reads."""
