"""Page templates, and where characters and dialogs stand in their panels."""
