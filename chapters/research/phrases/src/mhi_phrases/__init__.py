"""A classifier of short texts that learns from corrections, with its data and models kept safely for each user."""
