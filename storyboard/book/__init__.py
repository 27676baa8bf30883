"""The book: pages composed, and written as PDF with editable dialogue."""
