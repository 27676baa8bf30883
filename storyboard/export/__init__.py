"""The book in other forms than the PDF: for readers, for phones, for going on working on it."""
