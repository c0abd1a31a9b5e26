"""The seminar kit: one file for each talk, and everything that is made from it."""
