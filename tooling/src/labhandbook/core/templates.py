"""Text with placeholders such as @NAME@."""

from __future__ import annotations

import re
from collections.abc import Mapping


def fill(text: str, words: Mapping[str, str]) -> str:
    """Text with its placeholders replaced."""
    return re.sub(r"@([A-Z][A-Z ]*)@", lambda found: words[found[1]], text)
