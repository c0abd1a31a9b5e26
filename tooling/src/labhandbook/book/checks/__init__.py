"""The checks: for every rule of the book a pure function from what was read to findings."""
