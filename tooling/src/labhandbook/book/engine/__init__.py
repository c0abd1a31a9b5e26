"""The two engines that render the book: Quarto and pandoc."""
