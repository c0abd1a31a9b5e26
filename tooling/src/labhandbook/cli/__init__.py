"""The command tree of `handbook`. The only room that imports click; it calls the other rooms and prints."""
