"""conda-forge: write a recipe, check it, build it here, keep it true and propose it."""
