"""Lettering: text measured, broken, sized and drawn in its balloon."""
