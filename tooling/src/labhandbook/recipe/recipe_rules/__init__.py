"""The rules of a recipe. Importing this registers all of them.

`recipe_file`, `package_fields`, `requirements`, `recipe_tests`, `about` and `feedstock` check a recipe and the files
beside it (`handbook recipe lint`). `release_agreement` has the rules of comparing a recipe with its release,
`build_proof` those of building it.
"""

from labhandbook.recipe.recipe_rules import (
    about,
    build_proof,
    feedstock,
    package_fields,
    recipe_file,
    recipe_tests,
    release_agreement,
    requirements,
)
from labhandbook.recipe.recipe_rules.recipe_rule import ADVICE, RECIPE

__all__ = ["ADVICE", "RECIPE", "about", "build_proof", "feedstock", "package_fields", "recipe_file", "recipe_tests",
           "release_agreement", "requirements"]
