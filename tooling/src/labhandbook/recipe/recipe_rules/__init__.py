"""The rules of a recipe. Importing this registers all of them.

`form`, `package`, `requires`, `trials` and `about` look at a recipe alone (`handbook recipe lint`), `drift` holds the
rules of a recipe against its release, `proof` those of building it.
"""

from labhandbook.recipe.recipe_rules import (
    about,
    build_proof,
    package_fields,
    recipe_file,
    recipe_tests,
    release_agreement,
    requirements,
)
from labhandbook.recipe.recipe_rules.recipe_rule import RECIPE

__all__ = ["RECIPE", "about", "build_proof", "package_fields", "recipe_file", "recipe_tests", "release_agreement",
           "requirements"]
