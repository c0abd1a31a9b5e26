"""Each rule of `handbook recipe lint` finds its seeded defect at the right line, and lets a near miss pass."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from labhandbook.core.rules import REGISTRY
from labhandbook.package.index_addresses import index
from labhandbook.recipe.conda_forge_facts import python_min
from labhandbook.recipe.recipe_lint import lint
from labhandbook.recipe.recipe_rules import RECIPE
from tooling.tests.conftest import ROOT
from tooling.tests.recipe.samples import V0, line_of, v1, write


@dataclass(frozen=True)
class Case:
    """What to replace by what for a defect and for its near miss, and words of the line that is to be named.

    `near_form` is the recipe of the near miss where what is wrong in one kind is right in another.
    """

    old: str
    defect: str
    near: str
    at: str = ""
    form: str = "v1"
    near_form: str = ""


URL = f"{index('pypi').web}/packages/source/d/demo/demo-"
PYTHONS = '        - ${{ python_min }}.*\n        - "*"\n'
CASES = {
    "RCP001": Case("summary: A package to be proposed in a test.", "summary: A package: to be proposed",
                   'summary: "A package: to be proposed"', "summary"),
    "RCP002": Case("  summary: A", "  summry: x\n  summary: A", "  description: x\n  summary: A", "summry"),
    "RCP003": Case("", "", ""),
    "RCP004": Case("", "", ""),
    "RCP005": Case("", "", ""),
    "RCP006": Case("    - click >=8.1\n", "    - click >=8.1  # [win]\n", "    - click >=8.1  # see [1] there\n",
                   "click"),
    "RCP007": Case("    - someone\n", "    - someone\n\n", "    - someone\n# The end.\n"),
    "RCP008": Case("  number: 0\n", "  number: 0  # TODO set it\n", "  number: 0  # new versions start at 0\n",
                   "TODO"),
    "RCP009": Case("  home: ", "  homepage: ", "  doc_url: https://example.org/docs\n  home: ", "homepage", "v0"),
    "RCP010": Case("name: demo", "name: Demo", "name: demo-2.x_y", "name: Demo"),
    "RCP011": Case('version: "1.2.0"', "version: 1.10", 'version: "1.10"', "version: 1.10"),
    "RCP012": Case(URL, URL.replace("https", "http"), "https://github.com/example/demo/archive/v", "url:"),
    "RCP013": Case("ab" * 32, "0" * 64, "0" * 63 + "1", "sha256"),
    "RCP014": Case(".tar.gz", "-py3-none-any.whl", ".zip", "url:"),
    "RCP015": Case("  number: 0\n", "", "  number: 3\n", "build:"),
    "RCP016": Case("  noarch: python\n", "", "  noarch: generic\n", "build:"),
    "RCP017": Case(" --no-deps --no-build-isolation", " --no-build-isolation",
                   " --no-build-isolation --no-deps", "script:"),
    "RCP018": Case("    - click >=8.1\n", "    - if: win\n      then:\n        - click >=8.1\n",
                   "    - if: win\n      then:\n        - click >=8.1\n", "- click", near_form="compiled"),
    "RCP019": Case("demo = demo.cli:main", "demo.cli:main", "demo-gui=demo.cli:App.main", "demo.cli:main"),
    "RCP020": Case("    - setuptools >=80\n", "", "    - flit-core >=3.11,<4\n", "host:"),
    "RCP021": Case("python >=${{ python_min }}", "python >=3.11", "python >=${{ python_min }},<4", "python >=3.11"),
    "RCP022": Case('version: "1.2.0"\n', 'version: "1.2.0"\n  python_min: "3.11"\n',
                   'version: "1.2.0"\n  python_min: "3.12"\n', "python_min:"),
    "RCP023": Case("    - python\n    - click >=8.1\n", "    - python-dateutil\n    - click >=8.1\n",
                   "    - click >=8.1\n    - python\n", "run:", "compiled"),
    "RCP024": Case("    - python\n    - pip", "    - python >=3.12\n    - pip",
                   "    - python\n    - python-dateutil >=2.8\n    - pip", "python >=3.12", "compiled"),
    "RCP025": Case("click >=8.1", "click>=8.1", "click >=8.1,<9", "click"),
    "RCP026": Case("click >=8.1", "matplotlib >=3", "matplotlib-base >=3", "matplotlib"),
    "RCP027": Case("    - ${{ compiler('c') }}\n    - ${{ stdlib('c') }}\n", "    - ${{ compiler('c') }}\n",
                   "    - ${{ stdlib('c') }}\n    - ${{ compiler('c') }}\n", "compiler", "compiled"),
    "RCP028": Case("    - click >=8.1\n", "    - click >=8.1\n    - click <9\n",
                   "    - click >=8.1\n    - click-x <9\n", "click <9"),
    "RCP030": Case("        - demo\n      pip", "        []\n      pip", "        - demo.cli\n      pip", "tests:"),
    "RCP031": Case("      pip_check: true\n", "      pip_check: false\n", "", "pip_check"),
    "RCP032": Case(PYTHONS, '        - "*"\n', '        - "*"\n        - ${{ python_min }}.*\n', '- "*"'),
    "RCP040": Case("  summary: A package to be proposed in a test.\n", "",
                   "  summary: |\n    A package to be proposed in a test.\n", "about:"),
    "RCP041": Case("license: MIT", "license: BSD License", "license: MIT OR Apache-2.0", "license: BSD"),
    "RCP042": Case("  license_file: LICENSE\n", "", "  license_file:\n    - LICENSE\n", "license: MIT"),
    "RCP043": Case("- someone", "- your-github-name", "- conda-forge/your-team", "your-github"),
    "RCP044": Case("homepage: https://", "homepage: www.", "homepage: http://", "homepage"),
    "RCP045": Case("compiler('c') }}\n", "compiler('rust') }}\n",
                   "compiler('rust') }}\n    - cargo-bundle-licenses\n", "compiler('rust')", "compiled"),
    "RCP046": Case("version: ${{ version }}", "version: ${{version}}", 'version: "${{ version }}"', "${{version}}"),
}


def base(form: str) -> str:
    if form == "v0":
        return V0
    if form == "compiled":
        text = re.sub(r"  noarch: python\n|  python:\n    entry_points:\n      - .*\n", "", v1())
        text = text.replace("requirements:\n", "requirements:\n  build:\n    - ${{ compiler('c') }}\n"
                                               "    - ${{ stdlib('c') }}\n")
        text = text.replace("python ${{ python_min }}.*\n    - pip", "python\n    - pip")
        text = text.replace("python >=${{ python_min }}", "python")
        return re.sub(r"      python_version:\n(        .*\n)+", "", text)
    return v1()


def found(folder: Path, text: str, form: str) -> list[tuple[str, int]]:
    path = write(folder, text, "meta.yaml" if form == "v0" else "recipe.yaml")
    return [(finding.rule.code, finding.line) for finding in lint([path]).findings]


def test_each_rule_has_a_seeded_defect_and_a_near_miss() -> None:
    assert set(CASES) == set(RECIPE.checks)
    assert {code for code, case in CASES.items() if not case.old} == ALONE, "these have tests of their own below"


@pytest.mark.parametrize("form", ["v1", "compiled"])
def test_a_good_recipe_has_no_findings(form: str, tmp_path: Path) -> None:
    assert found(tmp_path, base(form), form) == []


def test_a_good_v0_recipe_is_only_old(tmp_path: Path) -> None:
    assert [code for code, _ in found(tmp_path, V0, "v0")] == ["RCP003"]
    feedstock = tmp_path / "feedstock" / "recipe" / "meta.yaml"
    feedstock.parent.mkdir(parents=True)
    feedstock.write_text(V0, encoding="utf-8")
    assert list(lint([feedstock.parent.parent]).findings) == []


ALONE = {"RCP003", "RCP004", "RCP005"}


@pytest.mark.parametrize("code", sorted(set(CASES) - ALONE))
def test_a_defect_is_found_where_it_is_and_a_near_miss_is_not(code: str, tmp_path: Path) -> None:
    case = CASES[code]
    bad, good = base(case.form), base(case.near_form or case.form)
    assert case.old in bad and case.old in good and case.near != case.old, "a near miss changes the recipe too"
    bad, near = bad.replace(case.old, case.defect, 1), good.replace(case.old, case.near, 1)
    seen = found(tmp_path / "bad", bad, case.form)
    assert (code, line_of(bad, case.at) if case.at else len(bad.splitlines())) in seen
    assert code not in [one for one, _ in found(tmp_path / "near", near, case.near_form or case.form)]


# More ways in which a rule is broken, and words of the line.
MORE = {
    "RCP001": [("build:\n  number", "build:\n number: 1\n  number", "number: 0")],
    "RCP007": [("    - someone\n", "    - someone", "- someone")],
    "RCP010": [("name: demo", "name: de mo", "name: de mo")],
    "RCP011": [('version: "1.2.0"', 'version: "v1.2.0"', "version: ${{"),
               ("  version: ${{ version }}\n", "", "package:")],
    "RCP012": [("url: https", "git: https", "git:"), ("  url: ", "  path: ", "path:"),
               (".org/packages", ".io/packages", "url:")],
    "RCP013": [("  sha256: " + "ab" * 32 + "\n", "", "url:")],
    "RCP016": [("noarch: python", "noarch: pythn", "noarch:")],
    "RCP017": [("${{ PYTHON }} -m pip install . -vv", "python setup.py install", "script:")],
    "RCP020": [("    - pip\n", "", "host:")],
    "RCP021": [("    - python >=${{ python_min }}\n", "", "run:"), (" ${{ python_min }}.*\n    - pip", "\n    - pip",
                                                                    "- python")],
    "RCP025": [("click >=8.1", "click[all] >=8.1", "click"), ("click >=8.1", "click >= 8.1", "click"),
               ("click >=8.1", "numpy x.x", "numpy")],
    "RCP030": [(re.search(r"tests:\n(  .*\n)+", v1())[0] + "\n", "", "schema_version")],  # type: ignore[index]
    "RCP032": [("      python_version:\n" + PYTHONS, "", "        - demo")],
    "RCP040": [("  homepage: https://example.org/demo\n", "", "about:"), ("  license: MIT\n", "", "about:")],
    "RCP041": [("license: MIT", "license: mit", "license: mit"), ("license: MIT", "license: Unknown", "Unknown")],
    "RCP043": [("- someone", "- '@someone'", "@someone"), ("- someone", "- example/team", "example/team"),
               ("extra:\n  recipe-maintainers:\n    - someone\n", "extra:\n  a: b\n", "extra:"),
               ("recipe-maintainers:\n    - someone", "recipe-maintainers: someone", "recipe-maintainers")],
}


@pytest.mark.parametrize(("code", "old", "new", "at"), [(code, *one) for code, all_ in MORE.items() for one in all_])
def test_every_way_of_breaking_a_rule(code: str, old: str, new: str, at: str, tmp_path: Path) -> None:
    assert old in v1()
    bad = v1().replace(old, new, 1)
    assert (code, line_of(bad, at)) in found(tmp_path, bad, "v1")


V0_DEFECTS = {
    "RCP007": [("    - someone\n", "    - someone\n\n\n", "")],
    "RCP009": [("  commands:", "  command:", "command:"), ("about:", "abuot:", "abuot:")],
    "RCP010": [("name: {{ name|lower }}", "name: Demo", "name: Demo")],
    "RCP011": [("version: {{ version }}", "version: 1.10", "version: 1.10")],
    "RCP012": [("  url: https", "  git_url: https", "git_url")],
    "RCP013": [("abababab", "ab", "sha256")],
    "RCP015": [("  number: 0\n", "", "build:")],
    "RCP017": [(" --no-deps", "", "script:")],
    "RCP018": [("- click >=8.1", "- click >=8.1  # [win]", "click")],
    "RCP020": [("    - setuptools >=80\n", "", "host:")],
    "RCP021": [("python >={{ python_min }}", "python >=3.9", "python >=3.9")],
    "RCP025": [("click >=8.1", "click>=8.1", "click")],
    "RCP026": [("click >=8.1", "torch", "torch")],
    "RCP030": [("  imports:\n    - demo\n", "", "test:")],
    "RCP031": [("pip check", "demo --help", "commands:")],
    "RCP032": [("    - pip\n    - python {{ python_min }}\n  com", "    - pip\n  com", "requires:")],
    "RCP040": [("  home: https://example.org/demo\n", "", "about:")],
    "RCP041": [("license: MIT", "license: BSD", "license: BSD")],
    "RCP042": [("  license_file: LICENSE\n", "", "license: MIT")],
    "RCP043": [("- someone", "- '@someone'", "@someone")],
    "RCP044": [("home: https://", "home: www.", "home:")],
    "RCP046": [('set version = "1.2.0"', 'set version="1.2.0"', "set version"),
               ("- click >=8.1", "- click >=8.1 # [win]", "click"),
               ("- click >=8.1", "- click >=8.1  # [py37]", "click"),
               ("version: {{ version }}", "version: {{version}}", "{{version}}")],
}


@pytest.mark.parametrize(("code", "old", "new", "at"),
                         [(code, *one) for code, all_ in V0_DEFECTS.items() for one in all_])
def test_v0_is_held_to_the_same(code: str, old: str, new: str, at: str, tmp_path: Path) -> None:
    assert old in V0
    bad = V0.replace(old, new, 1)
    assert (code, line_of(bad, at) if at else len(bad.splitlines())) in found(tmp_path, bad, "v0")


def test_two_recipes_in_one_folder(tmp_path: Path) -> None:
    path = write(tmp_path, v1())
    assert list(lint([path]).findings) == []
    write(tmp_path, V0, "meta.yaml")
    assert [finding.rule.code for finding in lint([path]).findings] == ["RCP004"]


def test_sections_out_of_order(tmp_path: Path) -> None:
    head, tests, about = re.split(r"(?=^tests:|^about:)", v1(), flags=re.MULTILINE)
    about, _, extra = about.partition("extra:")
    swapped = head + about + tests + "extra:" + extra
    assert found(tmp_path, swapped, "v1") == [("RCP005", line_of(swapped, "tests:"))]
    head, host, run, rest = re.split(r"(?=^  host:|^  run:|^tests:)", v1(), flags=re.MULTILINE)
    swapped = head + run.rstrip() + "\n" + host + "\n" + rest
    assert found(tmp_path / "requirements", swapped, "v1") == [("RCP005", line_of(swapped, "host:"))]
    fewer = re.sub(r"context:\n.*\n\n", "", v1()).replace("${{ version }}", "1.2.0")
    assert "RCP005" not in [code for code, _ in found(tmp_path / "fewer", fewer, "v1")], "a section may be missing"


def test_v0_in_recipe_yaml_is_found(tmp_path: Path) -> None:
    assert "RCP003" in [finding.rule.code for finding in lint([write(tmp_path, V0)]).findings]


def test_rules_name_conda_forges_codes() -> None:
    sources = [REGISTRY[code].source for code in RECIPE.checks if REGISTRY[code].source]
    assert len(sources) > 20
    for source in sources:
        assert re.fullmatch(r"conda-forge (R|R0|R1|CF)-\d{3}(, (R|R0|R1|CF)-\d{3})*", source), source


def test_python_min_is_the_chapters() -> None:
    facts = yaml.safe_load((ROOT / "chapters/packaging/tools.yml").read_text(encoding="utf-8"))
    assert facts["conda-forge"]["python-min"] == python_min()
