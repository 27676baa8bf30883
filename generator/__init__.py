"""DiffSensei: draw manga panels with several characters in given places (arXiv:2412.07589)."""
