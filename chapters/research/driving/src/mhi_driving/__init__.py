"""A lane-keeping world and the methods that learn to drive in it, from interaction and from logged data."""
