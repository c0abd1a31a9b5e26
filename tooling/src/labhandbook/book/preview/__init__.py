"""The book in a browser, as new as its files."""
