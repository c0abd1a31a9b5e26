"""Each rule of `handbook recipe lint` finds what the files in cases/recipe/broken expect; those in fine pass.

A file says in comments `# expect: CODE:LINE words of the message`. Its name begins with the rule that it is about and
ends with the kind of recipe: recipe.yaml (v1) or meta.yaml (v0). `{pypi}` means PyPI's address, `{host}` its
host.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from labhandbook.core.rules import REGISTRY
from labhandbook.core.yaml_reader import read_yaml
from labhandbook.package.index_addresses import index
from labhandbook.recipe import conda_forge_facts
from labhandbook.recipe.conda_forge_facts import python_min
from labhandbook.recipe.recipe_lint import lint
from labhandbook.recipe.recipe_rules import ADVICE, RECIPE
from tooling.tests.conftest import ROOT
from tooling.tests.recipe.samples import V0, line_of, v1, write

CASES = ROOT / "tooling/tests/cases/recipe"
FILES = sorted(path for folder in ("broken", "fine") for path in (CASES / folder).glob("*.yaml"))
EXPECT = re.compile(r"^# expect: (\w+):(\d+) ?(.*)$", re.MULTILINE)
# Rules on the end of the file, its folder and the order of its sections have tests of their own below; those on the
# files beside a recipe have theirs in test_feedstock_rules.
ALONE = {"RCP003", "RCP004", "RCP005", "RCP007", "RCP012", "RCP034", "RCP035", "RCP036", "RCP038", "RCP073",
         "RCP076"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_lint_finds_what_the_file_expects(path: Path, tmp_path: Path) -> None:
    web = index("pypi").web
    text = path.read_text(encoding="utf-8").replace("{pypi}", web).replace("{host}", str(urlsplit(web).hostname))
    expected = [(code, int(line), words) for code, line, words in EXPECT.findall(text)]
    found = lint([write(tmp_path, text, path.name.split(".", 1)[1])], advice=True).findings
    assert sorted((each.rule.code, each.line) for each in found) == sorted(each[:2] for each in expected), found
    for code, line, words in expected:
        assert any((each.rule.code, each.line) == (code, line) and words in each.message for each in found), found
    about = path.name.partition("-")[0].upper()
    assert (about in {code for code, _, _ in expected}) is (path.parent.name == "broken")


def test_each_rule_has_a_broken_and_a_fine_recipe() -> None:
    for folder in ("broken", "fine"):
        about = {path.name[:6].upper() for path in FILES if path.parent.name == folder}
        assert about >= {*RECIPE.checks, *ADVICE.checks} - ALONE


def found(folder: Path, text: str, name: str = "recipe.yaml") -> list[tuple[str, int]]:
    findings = lint([write(folder, text, name)], advice=True).findings
    return [(finding.rule.code, finding.line) for finding in findings]


def test_a_good_v0_recipe_is_only_old(tmp_path: Path) -> None:
    assert [code for code, _ in found(tmp_path, V0, "meta.yaml")] == ["RCP003"]
    feedstock = tmp_path / "feedstock" / "recipe" / "meta.yaml"
    feedstock.parent.mkdir(parents=True)
    feedstock.write_text(V0, encoding="utf-8")
    assert list(lint([feedstock.parent.parent]).findings) == []


def test_advice_is_given_on_request(tmp_path: Path) -> None:
    path = write(tmp_path, v1().replace(" --no-build-isolation", ""))
    assert list(lint([path]).findings) == []
    assert [(one.rule.code, str(one.weight)) for one in lint([path], advice=True).findings] == [("RCP071", "warning")]


def test_what_only_variants_define_is_no_fault(tmp_path: Path) -> None:
    text = v1().replace("number: 0", 'number: ${{ 0 if cuda_compiler_version == "None" else 200 }}')
    assert list(lint([write(tmp_path, text)]).findings) == []


@pytest.mark.parametrize(("text", "name"), [(v1(), "recipe.yaml"), (V0, "meta.yaml")])
def test_the_end_of_the_file(text: str, name: str, tmp_path: Path) -> None:
    for number, end in enumerate(("", "\n\n", "\n\n\n")):
        bad = text.rstrip("\n") + end
        assert ("RCP007", len(bad.splitlines())) in found(tmp_path / str(number), bad, name)
    assert "RCP007" not in [code for code, _ in found(tmp_path / "fine", f"{text}# The end.\n", name)]


def test_an_old_address_of_pypi(tmp_path: Path) -> None:
    bad = v1().replace(".org/packages", ".io/packages")
    assert ("RCP012", line_of(bad, "url:")) in found(tmp_path, bad)


def test_two_recipes_in_one_folder(tmp_path: Path) -> None:
    path = write(tmp_path, v1())
    assert list(lint([path]).findings) == []
    write(tmp_path, V0, "meta.yaml")
    assert [finding.rule.code for finding in lint([path]).findings] == ["RCP004"]


def test_sections_out_of_order(tmp_path: Path) -> None:
    head, tests, about = re.split(r"(?=^tests:|^about:)", v1(), flags=re.MULTILINE)
    about, _, extra = about.partition("extra:")
    swapped = head + about + tests + "extra:" + extra
    assert found(tmp_path, swapped) == [("RCP005", line_of(swapped, "tests:"))]
    head, host, run, rest = re.split(r"(?=^  host:|^  run:|^tests:)", v1(), flags=re.MULTILINE)
    swapped = head + run.rstrip() + "\n" + host + "\n" + rest
    assert found(tmp_path / "requirements", swapped) == [("RCP005", line_of(swapped, "host:"))]
    fewer = re.sub(r"context:\n.*\n\n", "", v1()).replace("${{ version }}", "1.2.0")
    assert "RCP005" not in [code for code, _ in found(tmp_path / "fewer", fewer)], "a section may be missing"


def test_a_package_that_is_on_conda_forge_already(tmp_path: Path) -> None:
    text = v1().replace("name: demo", "name: click").replace("    - click >=8.1\n", "")
    assert found(tmp_path, text) == [("RCP076", line_of(text, "name: click"))]
    feedstock = tmp_path / "click-feedstock" / "recipe" / "recipe.yaml"
    feedstock.parent.mkdir(parents=True)
    feedstock.write_text(text, encoding="utf-8")
    assert list(lint([feedstock]).findings) == []


def test_a_requirement_may_be_in_the_same_pull_request(tmp_path: Path) -> None:
    text = v1().replace("    - click >=8.1\n", "    - not-there-yet\n")
    assert [code for code, _ in found(tmp_path, text)] == ["RCP075"]
    (tmp_path / "recipes" / "not-there-yet").mkdir()
    assert found(tmp_path, text) == []


def test_v0_in_recipe_yaml_is_found(tmp_path: Path) -> None:
    assert "RCP003" in [finding.rule.code for finding in lint([write(tmp_path, V0)], advice=True).findings]


def test_rules_name_conda_forges_codes() -> None:
    sources = [REGISTRY[code].source for code in RECIPE.checks if REGISTRY[code].source]
    assert len(sources) > 20
    for source in sources:
        assert re.fullmatch(r"conda-forge (R[01C]?|CBC|CF|FC)-\d{3}(, (R[01C]?|CBC|CF|FC)-\d{3})*", source), source


def test_python_min_is_the_chapters() -> None:
    facts = read_yaml((ROOT / "chapters/packaging/tools.yml").read_text(encoding="utf-8"), "tools.yml")
    assert facts["conda-forge"]["python-min"].text == python_min()
    assert facts["conda-smithy"]["seen"].text == conda_forge_facts.facts()["conda-smithy"]
