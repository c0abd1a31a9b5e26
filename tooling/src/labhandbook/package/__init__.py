"""What a Python package is: its sources, its version, its files, the index and the environments it runs in."""
