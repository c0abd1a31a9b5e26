"""The rules of a recipe. Importing this registers all of them.

`form`, `package`, `requires`, `trials` and `about` look at a recipe alone (`handbook recipe lint`), `drift` holds the
rules of a recipe against its release, `proof` those of building it.
"""

from labhandbook.recipe.rules import about, drift, form, package, proof, requires, trials
from labhandbook.recipe.rules.base import CHECKS

__all__ = ["CHECKS", "about", "drift", "form", "package", "proof", "requires", "trials"]
