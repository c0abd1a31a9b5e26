"""The book's drawn pictures: `python -m tooling.figures` draws them all, and a test compares what it draws."""
