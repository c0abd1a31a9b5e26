"""`handbook watch`: lists, feeds, releases and pull requests that are looked at, and notices of what is new."""
