"""The site: the book's model, its facts, the two engines and the preview."""
