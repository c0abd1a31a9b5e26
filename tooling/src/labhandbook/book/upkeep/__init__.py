"""`handbook upkeep`: what ages without anybody touching it: addresses, facts, pinned tools."""
