"""The release kit: from a commit to a verified package, on a laptop and in CI."""
