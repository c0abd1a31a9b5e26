"""The family of rules that check a recipe, and the sections that teach them."""

from __future__ import annotations

from labhandbook.core.rules import Rules
from labhandbook.recipe.recipe_reader import Reading

FIXING = "sec-conda-forge-mend"
FIELDS = "sec-conda-forge-mend-fields"
TESTS = "sec-conda-forge-mend-tests"
CHECK = "sec-conda-forge-check"

# `source` names the codes under which conda-forge's own linter (conda-smithy) reports the same thing: an error is one
# of its lints, a warning one of its hints.
RECIPE: Rules[Reading] = Rules(lambda reading: reading.file)
# Advice of this handbook, which conda-forge does not ask for: `handbook recipe lint --advice` gives it too.
ADVICE: Rules[Reading] = Rules(lambda reading: reading.file)
