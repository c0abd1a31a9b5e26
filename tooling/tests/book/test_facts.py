"""Facts files: what becomes a variable, which stamps hold for it, and who else reads them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml

from labhandbook.book.engine.pandoc_worker import pandoc_program
from labhandbook.book.facts import Fact, identity, index_addresses, load_facts, look_up, unknown_addresses, variables
from labhandbook.book.load import load_book
from labhandbook.core.errors import HandbookError
from tooling.tests.conftest import ROOT, make_book, run, soup

CLUSTERS = """\
source: "guide"
checked: 2026-01-02
review-by: 2027-01-02

plain: "top"
lumi:
  name: LUMI
  nodes: 2978
  fraction: 0.50
  yes: "no"
  day: 2026-05-06
  limit:
    source: "another guide"
    checked: 2026-03-04
    note: "a note is no fact"
    jobs: 3
  list:
    - first
    - name: second
other:
  review-by: 2028-01-01
  name: "Ümläut # and : signs"
"""


# Numbers as no float would print them, and strings that look like the end of strings.
RESULTS = r"""{"score": {"mean": -143.50, "error": 1e-05, "seeds": [0.1, {"a": 1}], "steps": 12345678901234567890},
 "name": "a \"1, 2\" \\", "path\\": "\\\"3\"", "passed": true, "none": null, "letter": "\u00e4 12", "empty": ""}
"""


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return make_book(tmp_path, {"index.qmd": "# Home\n", "chapters/deep/clusters.yml": CLUSTERS,
                                "chapters/research/driving/index.qmd": "# Driving\n",
                                "chapters/research/driving/results.json": RESULTS,
                                "chapters/research/driving/tests/results.json": "no results of the book"},
                     ["index.qmd"])


def by_name(book: Path) -> dict[str, Fact]:
    return {fact.name: fact for fact in load_facts(book)}


def test_every_scalar_but_stamps_is_a_fact(book: Path) -> None:
    assert {name: fact.value for name, fact in by_name(book).items()} == {
        "clusters.plain": "top", "clusters.lumi.name": "LUMI", "clusters.lumi.nodes": "2978",
        "clusters.lumi.fraction": "0.50", "clusters.lumi.yes": "no", "clusters.lumi.day": "2026-05-06",
        "clusters.lumi.limit.jobs": "3", "clusters.lumi.list.1": "first", "clusters.lumi.list.2.name": "second",
        "clusters.other.name": "Ümläut # and : signs"}


def test_a_fact_has_its_line(book: Path) -> None:
    lines = CLUSTERS.splitlines()
    for fact in by_name(book).values():
        assert fact.file == "chapters/deep/clusters.yml"
        assert fact.value.strip() in lines[fact.line - 1], fact


def test_stamps_hold_until_a_deeper_one(book: Path) -> None:
    facts = by_name(book)
    top, deep, other = facts["clusters.lumi.name"], facts["clusters.lumi.limit.jobs"], facts["clusters.other.name"]
    assert (top.source, top.checked, top.review_by) == ("guide", date(2026, 1, 2), date(2027, 1, 2))
    assert (deep.source, deep.checked, deep.review_by) == ("another guide", date(2026, 3, 4), date(2027, 1, 2))
    assert (other.source, other.review_by) == ("guide", date(2028, 1, 1))
    assert facts["clusters.lumi.list.2.name"].source == "guide"


def test_missing_and_broken_stamps_are_none(tmp_path: Path) -> None:
    make_book(tmp_path, {"index.qmd": "# Home\n", "chapters/x.yml": "a:\n  checked: soon\n  value: 1\n"})
    (fact,) = load_facts(tmp_path)
    assert (fact.source, fact.checked, fact.review_by) == (None, None, None)


def test_variables_hold_facts_identity_and_addresses(book: Path) -> None:
    tree = variables(load_book(book))
    assert set(tree) == {"book", "index", "clusters", "results"}
    assert look_up(tree, "clusters.lumi.limit.jobs") == "3"
    assert tree["book"] == {"title": "Test Book", "group": "A Group", "repo": "https://example.org/repo",
                            "site": "https://example.org/book"}


def test_results_of_a_project_are_variables_as_they_are_written(book: Path) -> None:
    assert variables(load_book(book))["results"] == {"driving": {
        "score": {"mean": "-143.50", "error": "1e-05", "steps": "12345678901234567890"},
        "name": 'a "1, 2" \\', "path\\": '\\"3"', "passed": "true", "none": "null", "letter": "ä 12", "empty": ""}}


def test_broken_results_are_named_with_their_line(book: Path) -> None:
    (book / "chapters/research/driving/results.json").write_text('{"a": 1,\n "b": }\n', encoding="utf-8")
    done = run("facts", "--book", book)
    assert done.returncode == 2 and "chapters/research/driving/results.json:2:" in done.stderr


@pytest.mark.parametrize("name", ["clusters", "clusters.lumi", "clusters.lumi.no", "clusters.plain.more", "", "."])
def test_what_is_no_single_value_is_not_found(book: Path, name: str) -> None:
    assert look_up(variables(load_book(book)), name) is None


def test_two_files_with_one_name(book: Path) -> None:
    (book / "chapters/clusters.yml").write_text("a: 1\n", encoding="utf-8")
    with pytest.raises(HandbookError, match="two facts files are named clusters") as caught:
        variables(load_book(book))
    assert "chapters/clusters.yml" in str(caught.value) and "chapters/deep/clusters.yml" in str(caught.value)


@pytest.mark.parametrize("stem", ["book", "index", "results"])
def test_file_named_like_what_the_package_fills(book: Path, stem: str) -> None:
    (book / f"chapters/{stem}.yml").write_text("title: mine\n", encoding="utf-8")
    with pytest.raises(HandbookError, match=f"named {stem}"):
        variables(load_book(book))


def test_broken_file_is_named_with_its_line(book: Path) -> None:
    (book / "chapters/broken.yml").write_text("a: 1\nb: [2\nc: 3\n", encoding="utf-8")
    done = run("facts", "--book", book)
    assert done.returncode == 2 and "chapters/broken.yml:3:" in done.stderr and "Traceback" not in done.stderr


def test_empty_and_hidden_files_hold_nothing(book: Path) -> None:
    before = by_name(book)
    (book / "chapters/empty.yml").write_text("# nothing\n", encoding="utf-8")
    (book / "chapters/_private.yml").write_text("a: 1\n", encoding="utf-8")
    (book / "chapters/.hidden.yml").write_text("a: 1\n", encoding="utf-8")
    assert by_name(book) == before


def test_command_shows_and_writes(book: Path) -> None:
    shown = json.loads(run("facts", "--book", book).stdout)
    first = run("facts", "--write", "--book", book)
    written = book / "_variables.yml"
    stamp = written.stat().st_mtime_ns
    again = run("facts", "--write", "--book", book)
    assert "written" in first.stdout and "up to date" in again.stdout
    assert written.stat().st_mtime_ns == stamp, "a watcher would wake"
    assert yaml.safe_load(written.read_text(encoding="utf-8")) == shown == variables(load_book(book))
    assert "Ümläut # and : signs" in written.read_text(encoding="utf-8")


def test_addresses_are_those_twine_uploads_to() -> None:
    from twine import utils
    from twine.repository import TEST_WAREHOUSE, WAREHOUSE_WEB

    answer = index_addresses()
    assert answer is not None and set(answer) == {"pypi", "testpypi"}
    assert (answer["pypi"]["web"] + "/", answer["testpypi"]["web"] + "/") == (WAREHOUSE_WEB, TEST_WAREHOUSE)
    assert utils.TEST_REPOSITORY.startswith(answer["testpypi"]["web"])
    for addresses in answer.values():
        assert addresses["simple"] == f"{addresses['web']}/simple/" and addresses["web"].endswith(addresses["host"])


def test_addresses_that_a_twine_puts_together_are_had_too(tmp_path: Path) -> None:
    """A twine whose source does not show them plainly is imported."""
    (tmp_path / "twine").mkdir()
    (tmp_path / "twine" / "__init__.py").touch()
    (tmp_path / "twine" / "repository.py").write_text(
        'BASE = "https://{}.org/"\nWAREHOUSE_WEB, TEST_WAREHOUSE = BASE.format("example"), BASE.format("test")\n')
    (tmp_path / "twine" / "utils.py").write_text(
        'BASE = "https://up.{}.org/"\n'
        'DEFAULT_REPOSITORY, TEST_REPOSITORY = BASE.format("example"), BASE.format("test")\n')
    code = "from labhandbook.book.facts import index_addresses; print(sorted(index_addresses().items()))"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(tmp_path)},
                          capture_output=True, text=True, check=True)
    assert "'host': 'example.org'" in done.stdout and "'host': 'test.org'" in done.stdout


def test_unknown_address_stops_a_shell() -> None:
    for addresses in unknown_addresses().values():
        done = subprocess.run(["sh", "-c", f"echo pip install --index-url {addresses['simple']}"], env={},
                              capture_output=True, text=True)
        assert done.returncode != 0 and "set it to the simple index address" in done.stderr and not done.stdout


def prerender(book: Path, programs: Path) -> subprocess.CompletedProcess[str]:
    """Run `prerender.lua` with this folder as PATH, as Quarto does."""
    return subprocess.run([pandoc_program(), "-f", "markdown", "-t", "plain", "--lua-filter",
                           ROOT / "tooling/prerender.lua"], cwd=book, input="", capture_output=True, text=True,
                          env={**os.environ, "PATH": str(programs)}, check=False)


def test_prerender_lets_the_package_write_the_variables(book: Path) -> None:
    program = ROOT / ".venv" / "bin"
    if not (program / "handbook").exists():
        program = Path(shutil.which("handbook") or "").parent
    assert prerender(book, program).returncode == 0
    assert yaml.safe_load((book / "_variables.yml").read_text(encoding="utf-8")) == variables(load_book(book))


def test_prerender_without_the_package_says_what_to_do(book: Path, tmp_path: Path) -> None:
    done = prerender(book, tmp_path / "programs")
    assert done.returncode == 1 and "Run `make`" in done.stderr and not (book / "_variables.yml").exists()


def test_identity_comes_from_the_configuration(book: Path) -> None:
    assert identity(load_book(book))["group"] == "A Group"


def test_a_page_is_due_when_the_first_of_its_facts_is(book: Path) -> None:
    page = book / "index.qmd"
    page.write_text("# Home\n\n{{< var clusters.lumi.name >}} {{< var book.title >}}\n", encoding="utf-8")
    assert variables(load_book(book))["review-days"] == {"index.qmd": "2027-01-02"}
    (book / "chapters/people.yml").write_text(
        "source: she\nchecked: 2026-01-02\nreview-by: 2026-12-31\nname: Ada\n", encoding="utf-8")
    page.write_text(page.read_text(encoding="utf-8") + "{{<var people.name >}}\n", encoding="utf-8")
    assert variables(load_book(book))["review-days"] == {"index.qmd": "2026-12-31"}


OWNERS = """\
source: she
checked: 2026-01-02
review-by: 2026-12-31
owners:
  all: {pages: "", role: Editor, name: Ada}
  hpc: {pages: chapters/deep/, role: Cluster contact, name: not settled}
"""
QUARTO = """
quarto = { doc = { is_format = function(name) return name:match '^%a+' == FORM end,
                   input_file = ROOT .. '/index.qmd' },
           project = { directory = ROOT } }
-- Quarto looks for modules beside the file that asks for them.
package.path = pandoc.path.directory(SHORTCODES) .. '/?.lua;' .. package.path
local facts = dofile(SHORTCODES)['page-facts']
local none = { __index = function() return pandoc.Inlines {} end }
local answer = facts({}, setmetatable({ confirmed = pandoc.Inlines '2026-03-04' }, none), {})
print(pandoc.write(pandoc.Pandoc { answer }, 'html'))
"""


@pytest.mark.parametrize(("form", "due"), [("html", ' data-due="2027-01-02"'), ("epub", "")])
def test_quarto_reads_the_day_in_the_variables(book: Path, tmp_path: Path, form: str, due: str) -> None:
    """The extension under Quarto's names, which it finds only there."""
    (book / "index.qmd").write_text("# Home\n\n{{< var clusters.plain >}}\n", encoding="utf-8")
    (book / "chapters/people.yml").write_text(OWNERS, encoding="utf-8")
    assert run("facts", "--write", "--book", book).returncode == 0
    script = tmp_path / "quarto.lua"
    names = {"ROOT": str(book), "FORM": form, "SHORTCODES": str(ROOT / "_extensions/handbook/shortcodes.lua")}
    script.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in names.items()) + QUARTO,
                      encoding="utf-8")
    done = subprocess.run([pandoc_program(), "lua", script], capture_output=True, text=True, check=False)
    said = " ".join(done.stdout.split())
    assert f'<span data-confirmed="2026-03-04"{due}>2026-03-04</span>' in said, done.stderr
    assert ('<span data-owner="Editor">Editor (Ada)</span>' in said) == (form == "html")


def test_a_page_names_who_answers_for_it(rendered: Callable[[Path], Path], book: Path) -> None:
    """The longest folder that leads to a page counts."""
    (book / "chapters/people.yml").write_text(OWNERS, encoding="utf-8")
    for page in ("index.qmd", "chapters/deep/a.qmd", "chapters/research/driving/index.qmd"):
        (book / page).write_text("# Title\n\n{{< page-facts minutes=3 >}}\n", encoding="utf-8")
    config = yaml.safe_load((book / "_quarto.yml").read_text(encoding="utf-8"))
    config["book"]["chapters"] += ["chapters/deep/a.qmd", "chapters/research/driving/index.qmd"]
    (book / "_quarto.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    site = rendered(book)
    assert [" ".join(soup(site / page).select(".page-facts li")[-1].get_text().split()) for page in
            ("index.html", "chapters/deep/a.html", "chapters/research/driving/index.html")] == [
        "Owner Editor (Ada)", "Owner Cluster contact (not settled)", "Owner Editor (Ada)"]


def test_a_question_shows_its_answer_or_whom_to_ask(rendered: Callable[[Path], Path], book: Path) -> None:
    (book / "chapters/together").mkdir()
    data = book / "chapters/together/agreements.yml"
    text = ("source: a meeting\nchecked: 2026-11-01\nreview-by: 2027-11-01\n"
            "hours:\n  question: When do we *meet*?\n  ask: the leader\n  answer: \"\"\n"
            "lunch:\n  question: Where is lunch?\n  ask: anyone\n  answer: |\n    In the hall.\n\n    - At noon.\n")
    data.write_text(text, encoding="utf-8")
    page = book / "index.qmd"
    page.write_text("# Home\n\n{{< agreement hours >}}\n\n{{< agreement lunch >}}\n", encoding="utf-8")
    site = rendered(book)
    boxes = soup(site / "index.html").select("main .agreement")
    assert [" ".join(box.get_text(" ", strip=True).split()) for box in boxes] == [
        "When do we meet ? Not settled yet: ask the leader.", "Where is lunch? In the hall. At noon."]
    assert ["open" in box["class"] for box in boxes] == [True, False]

    data.write_text(text.replace('answer: ""', "answer: At nine."), encoding="utf-8")
    home = soup(rendered(book) / "index.html")
    assert "At nine." in home.get_text() and not home.select(".agreement.open")

    page.write_text("# Home\n\n{{< agreement luncheon >}}\n", encoding="utf-8")
    failed = run("check", book)
    assert failed.returncode == 1
    assert "luncheon is not a question of chapters/together/agreements.yml" in failed.stdout


def test_every_question_of_the_group_is_on_one_page() -> None:
    names = [fact.name.split(".") for fact in load_facts(ROOT)]
    asked = [name[1] for name in names if name[0] == "agreements" and name[-1] == "question"]
    call = re.compile(r"^\{\{< agreement ([\w-]+) >\}\}$", re.MULTILINE)
    shown = [name for page in (ROOT / "chapters").rglob("*.qmd")
             for name in call.findall(page.read_text(encoding="utf-8"))]
    assert sorted(shown) == sorted(asked) and asked
