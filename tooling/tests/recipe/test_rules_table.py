"""Each rule of `handbook recipe lint` finds its seeded defect at the right line, and lets a near miss pass."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from labhandbook.recipe.facts import python_min
from labhandbook.recipe.lint import lint
from labhandbook.recipe.rules import CHECKS
from labhandbook.recipe.rules.base import SAME
from labhandbook.rules import REGISTRY
from tooling.tests.conftest import ROOT
from tooling.tests.recipe.samples import V0, line_of, v1, write


@dataclass(frozen=True)
class Case:
    """What to replace by what for a defect and for its near miss, and words of the line that is to be named."""

    old: str
    defect: str
    near: str
    at: str = ""
    form: str = "v1"


CASES = {
    "RCP001": Case("build:\n  number", "build\n  number", "build:\n  number", "build"),
    "RCP002": Case("  summary: A", "  summry: x\n  summary: A", "  description: x\n  summary: A", "summry"),
    "RCP003": Case("package:", "package:", "", "{% set name", "v0"),
    "RCP005": Case("about:\n", "build_:\nabout:\n", "about:\n"),
    "RCP006": Case("    - click >=8.1\n", "    - click >=8.1  # [win]\n", "    - click >=8.1  # see [1] there\n",
                   "click"),
    "RCP007": Case("    - someone\n", "    - someone\n\n", "    - someone\n"),
    "RCP008": Case("  number: 0\n", "  number: 0  # TODO set it\n", "  number: 0  # the first\n", "TODO"),
    "RCP010": Case("name: demo", "name: Demo", "name: demo-2.x_y", "name: Demo"),
    "RCP011": Case('version: "1.2.0"', "version: 1.10", 'version: "1.10"', "version: 1.10"),
    "RCP012": Case("  url: https", "  url: http", "  url: https", "url:"),
    "RCP013": Case("ab" * 32, "0" * 64, "0" * 63 + "1", "sha256"),
    "RCP014": Case(".tar.gz", "-py3-none-any.whl", ".zip", "url:"),
    "RCP015": Case("  number: 0\n", "", "  number: 3\n", "build:"),
    "RCP016": Case("  noarch: python\n", "", "  noarch: python\n", "build:"),
    "RCP017": Case(" --no-deps --no-build-isolation", " --no-build-isolation",
                   " --no-build-isolation --no-deps", "script:"),
    "RCP018": Case("    - click >=8.1\n", "    - if: win\n      then:\n        - click >=8.1\n", "    - click\n",
                   "click"),
    "RCP019": Case("demo = demo.cli:main", "demo.cli:main", "demo-gui=demo.cli:App.main", "demo.cli:main"),
    "RCP020": Case("    - setuptools >=80\n", "", "    - flit-core >=3.11,<4\n", "host:"),
    "RCP021": Case("python >=${{ python_min }}", "python >=3.11", "python >=${{ python_min }},<4", "python >=3.11"),
    "RCP022": Case('version: "1.2.0"\n', 'version: "1.2.0"\n  python_min: "3.11"\n',
                   'version: "1.2.0"\n  python_min: "3.12"\n', "python_min:"),
    "RCP025": Case("click >=8.1", "click>=8.1", "click >=8.1,<9", "click"),
    "RCP026": Case("click >=8.1", "matplotlib >=3", "matplotlib-base >=3", "matplotlib"),
    "RCP028": Case("    - click >=8.1\n", "    - click >=8.1\n    - click <9\n",
                   "    - click >=8.1\n    - click-x <9\n", "click <9"),
    "RCP030": Case("        - demo\n      pip", "        []\n      pip", "        - demo.cli\n      pip", "tests:"),
    "RCP031": Case("pip_check: true", "pip_check: false", "pip_check: true", "pip_check"),
    "RCP032": Case('        - ${{ python_min }}.*\n        - "*"\n', '        - "*"\n',
                   '        - "*"\n        - ${{ python_min }}.*\n', '- "*"'),
    "RCP040": Case("  homepage: https://example.org/demo\n", "", "  homepage: https://example.org/\n", "about:"),
    "RCP041": Case("license: MIT", "license: BSD License", "license: MIT OR Apache-2.0", "license: BSD"),
    "RCP042": Case("  license_file: LICENSE\n", "", "  license_file:\n    - LICENSE\n", "license: MIT"),
    "RCP043": Case("- someone", "- your-github-name", "- conda-forge/your-team", "your-github"),
    "RCP044": Case("homepage: https://", "homepage: www.", "homepage: http://", "homepage"),
    # In compiled packages.
    "RCP023": Case("    - python\n    - click", "    - click", "    - python\n    - click", "run:", "compiled"),
    "RCP024": Case("    - python\n    - pip", "    - python >=3.12\n    - pip", "    - python\n    - pip",
                   "python >=3.12", "compiled"),
    "RCP027": Case('    - ${{ stdlib("c") }}\n', "", '    - ${{ stdlib("c") }}\n', "compiler", "compiled"),
    "RCP004": Case("", "", ""),
}


def base(form: str) -> str:
    if form == "v0":
        return V0
    if form == "compiled":
        text = re.sub(r"  noarch: python\n|  python:\n    entry_points:\n      - .*\n", "", v1())
        text = text.replace("requirements:\n", 'requirements:\n  build:\n    - ${{ compiler("c") }}\n'
                                               '    - ${{ stdlib("c") }}\n')
        text = text.replace("python ${{ python_min }}.*\n    - pip", "python\n    - pip")
        text = text.replace("python >=${{ python_min }}", "python")
        return re.sub(r"      python_version:\n(        .*\n)+", "", text)
    return v1()


def found(folder: Path, text: str, form: str) -> list[tuple[str, int]]:
    path = write(folder, text, "meta.yaml" if form == "v0" else "recipe.yaml")
    return [(finding.rule.code, finding.line) for finding in lint([path]).findings]


def test_each_rule_has_a_seeded_defect_and_a_near_miss() -> None:
    assert set(CASES) == set(CHECKS)


@pytest.mark.parametrize("form", ["v1", "compiled"])
def test_a_good_recipe_has_no_findings(form: str, tmp_path: Path) -> None:
    assert found(tmp_path, base(form), form) == []


def test_a_good_v0_recipe_is_only_old(tmp_path: Path) -> None:
    assert [code for code, _ in found(tmp_path, V0, "v0")] == ["RCP003"]
    feedstock = tmp_path / "feedstock" / "recipe" / "meta.yaml"
    feedstock.parent.mkdir(parents=True)
    feedstock.write_text(V0, encoding="utf-8")
    assert lint([feedstock.parent.parent]).findings == []


@pytest.mark.parametrize("code", sorted(set(CASES) - {"RCP003", "RCP004", "RCP005"}))
def test_a_defect_is_found_where_it_is_and_a_near_miss_is_not(code: str, tmp_path: Path) -> None:
    case = CASES[code]
    good = base(case.form)
    assert case.old in good
    bad = good.replace(case.old, case.defect, 1)
    told = found(tmp_path / "bad", bad, case.form)
    line = line_of(bad, case.at) if case.at else len(bad.splitlines())
    if code == "RCP001":
        assert [one for one, _ in told] == [code] and abs(told[0][1] - line) <= 1
    else:
        assert (code, line) in told
    assert code not in [one for one, _ in found(tmp_path / "good", good.replace(case.old, case.near, 1), case.form)]


V0_DEFECTS = {
    "RCP010": ("name: {{ name|lower }}", "name: Demo"), "RCP013": ("abababab", "ab"),
    "RCP017": (" --no-deps", ""), "RCP018": ("- click >=8.1", "- click >=8.1  # [win]"),
    "RCP020": ("    - setuptools >=80\n", ""), "RCP021": ("python >={{ python_min }}", "python >=3.9"),
    "RCP025": ("click >=8.1", "click>=8.1"), "RCP026": ("click >=8.1", "torch"),
    "RCP031": ("pip check", "demo --help"), "RCP032": ("    - pip\n    - python {{ python_min }}\n  com",
                                                        "    - pip\n  com"),
    "RCP040": ("  home: https://example.org/demo\n", ""), "RCP041": ("license: MIT", "license: BSD"),
    "RCP043": ("- someone", "- '@someone'"),
}


@pytest.mark.parametrize("code", V0_DEFECTS)
def test_v0_is_held_to_the_same(code: str, tmp_path: Path) -> None:
    old, new = V0_DEFECTS[code]
    assert old in V0
    assert code in [one for one, _ in found(tmp_path, V0.replace(old, new, 1), "v0")]


def test_two_recipes_in_one_folder(tmp_path: Path) -> None:
    path = write(tmp_path, v1())
    assert lint([path]).findings == []
    write(tmp_path, V0, "meta.yaml")
    assert [finding.rule.code for finding in lint([path]).findings] == ["RCP004"]


def test_sections_out_of_order(tmp_path: Path) -> None:
    head, tests, about = re.split(r"(?=^tests:|^about:)", v1(), flags=re.MULTILINE)
    swapped = head + about.rstrip() + "\n\n" + tests.rstrip() + "\n"
    assert found(tmp_path, swapped, "v1") == [("RCP005", line_of(swapped, "tests:"))]


def test_v0_in_recipe_yaml_is_told(tmp_path: Path) -> None:
    assert "RCP003" in [finding.rule.code for finding in lint([write(tmp_path, V0)]).findings]


def test_rules_name_conda_forges_codes() -> None:
    for code, same in SAME.items():
        for other in same:
            assert re.fullmatch(r"(R|R0|R1|CF)-\d{3}", other) and other in REGISTRY[code].title


def test_python_min_is_the_chapters() -> None:
    facts = yaml.safe_load((ROOT / "chapters/packaging/tools.yml").read_text(encoding="utf-8"))
    assert facts["conda-forge"]["python-min"] == python_min()
