"""Plain English: words that a tired reader stumbles over appear in no code and on no page."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tooling.tests.conftest import ROOT

# A word, and what to write instead. The words of a quotation or a title of somebody else's work are not ours.
BANNED = {
    r"mend(s|ed|ing)?": "fix, correct",
    r"told": "says, lists, shows",
    r"belongs? into": "belongs in",
    r"so manieth": "the first, the 21st",
    r"too shortly": "ended too soon, too short",
    r"give \w+ \w+ free": "release, free",
    r"all the same": "still, anyway",
    r"for who": "anyone who, if you",
    r"stands (now )?(here|there|in)": "is, is listed in",
    r"what (builds|relates) (on|to) what": "say which, and how",
    r"here is (what|how) (to|you)": "this page lists, this page shows",
    r"(cluster|system|index|machine) hasn't": "does not have",
}
READ = {".py", ".qmd", ".md", ".lua", ".js", ".css", ".toml", ".yml", ".in", ".bib"}
# Ids of sections stay: other places link to them.
IDS = re.compile(r"sec-[\w-]+")


def files() -> list[Path]:
    """The files that people read and git tracks."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if Path(name).suffix in READ and (ROOT / name).is_file()]


@pytest.mark.parametrize("banned", BANNED)
def test_no_file_has_the_word(banned: str) -> None:
    # An underscore is a space here: names of functions and variables are read as well.
    word = re.compile(rf"(?<![^\W_]){banned}(?![^\W_])", re.IGNORECASE)
    found = []
    for path in files():
        if path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if word.search(IDS.sub("", line).replace("_", " ")):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}")
    assert not found, f"write {BANNED[banned]}:\n" + "\n".join(found)
