"""More defects and near misses, where a rule turns on a detail: what is missing, written otherwise, or means less."""

from __future__ import annotations

from dataclasses import replace

from labhandbook.package.name_lookup import Answer
from labhandbook.release.project_facts import Facts
from tooling.tests.release.rule_cases import (
    COMMIT,
    DEPENDENCY,
    DYNAMIC,
    GOOD,
    HATCH,
    IGNORE,
    LICENCE,
    NO_VERSION,
    SCM,
    STATIC,
    TAKEN,
    TREE,
    UNVERIFIED,
    WARNING,
    Case,
    change,
    dependency,
    facts,
    git,
    python,
    readme,
    without,
)

NO_TABLE = facts("[build-system]\nrequires = []\n", version=NO_VERSION)
UNKNOWN = facts(SCM, version=NO_VERSION, texts={"CITATION.cff": "version: 0.1\n", "CHANGELOG.md": "# Changes\n",
                                                "demo_tool/__init__.py": '__version__ = "0.1"\n'})
BETWEEN = facts(SCM, version="1.3.0.dev1", git=git(tags=()),
                texts={"CITATION.cff": "version: 1.2.0\n", "CHANGELOG.md": "# Changes\n\n## 1.2.0\n"})
UNTRACKED = facts(git=None, files=without("LICENSE"), loose=("LICENSE",))
NO_README = facts(change(("README.md", "READ.md")))
ODD_DEPENDENCY = facts(dependency("numpy>>1"))
SUFFIX = '\n[tool.handbook.release]\ntag = "{version}-rel"\n'


def licence(text: str, more: str = "", files: tuple[str, ...] = TREE) -> Facts:
    """The good project with other licence files."""
    return facts(change(('license-files = ["LICENSE"]\n', text)) + more, files=files)


EDGES: dict[str, list[Case]] = {
    "REL002": [Case(facts(change((STATIC, 'version = "one"'))), "'one' is not a version", UNKNOWN)],
    "REL003": [Case(facts(change((STATIC, f"{STATIC}\n{DYNAMIC}"))), "in dynamic", NO_TABLE)],
    "REL004": [Case(facts(change(("1.2.0", "0.0"))), "the version is 0.0", facts(change((STATIC, DYNAMIC))))],
    "REL005": [Case(facts(SCM, version="1.3.0.dev1", git=None), "1.3.0.dev1 is a dev version",
                    facts(SCM, version="1.3.0rc1", git=None))],
    "REL006": [
        Case(facts(change((', "setuptools-scm>=8"', ""), text=SCM), version="1.2.0"), "lacks setuptools-scm",
             facts(change((', "setuptools-scm>=8"', ""), (DYNAMIC, STATIC), text=SCM))),
        Case(facts(change((', "setuptools-scm>=8"', ""), text=SCM), version="1.2.0"), "lacks setuptools-scm",
             facts(change((', "setuptools-scm>=8"]', ']\nbackend-path = ["."]'), text=SCM), version="1.2.0"))],
    "REL007": [Case(facts(texts={"demo_tool/__init__.py": '__version__ = "one"\n'}), "__version__ is one", UNKNOWN)],
    "REL008": [
        Case(facts(files=(*without("CHANGELOG.md"), "CHANGES.md")), "can't be read", BETWEEN, UNVERIFIED),
        Case(facts(texts={"CHANGELOG.md": "# Changes\n\nNo 1.2.0 yet.\n"}), "no heading", UNKNOWN, WARNING)],
    "REL009": [
        Case(facts(texts={"CITATION.cff": "version: one\n"}), "says one", BETWEEN, WARNING),
        Case(facts(texts={"CITATION.cff": "version: '1.2.0.1'\n"}), "says 1.2.0.1",
             facts(texts={"CITATION.cff": "title: X\n"}), WARNING),
        Case(facts(texts={"CITATION.cff": "version: 2\n"}), "says 2", UNKNOWN, WARNING)],
    "REL011": [Case(facts(git=git(dirty=("a.py",))), "a file is changed", facts(git=None))],
    "REL012": [Case(facts(git=git(shallow=True)), "shallow", facts(git=None), WARNING)],
    "REL013": [
        Case(facts(git=git(tags=(), remote_tags={"v1.1.0": COMMIT}), tags=()), "has no tag v1.2.0", BETWEEN, WARNING),
        Case(facts(git=git(tags=(), remote_tags=None), tags=()), "has no tag v1.2.0",
             facts(SCM, version="1.2.0+gabc", git=git(tags=())), WARNING),
        Case(facts(git=git(tags=("v1.2",))), "tagged v1.2, ", facts(git=None)),
        # A repository of several packages, the version read from the other one's tag.
        Case(facts(SCM, version="1.2.0", git=git(tags=("v1.0.0", "other-v1.2.0"))), "read from the tag other-v1.2.0",
             facts(SCM, version="1.2.0", git=git(tags=("other-v1.2.0", "v1.2.0")))),
        Case(facts(SCM, version="1.2.0", git=git(tags=("other-v1.2.0",)), tags=()), "read from the tag other-v1.2.0",
             facts(SCM + SUFFIX.replace("{version}-rel", "other-v{version}"), version="1.2.0",
                   git=git(tags=("other-v1.2.0",)))),
        Case(facts(git=git(tags=("v1.2.1",))), "tagged v1.2.1", UNKNOWN)],
    "REL014": [
        Case(facts(git=git(tags=("v1.2.0", "v1.3.0", "x1.4.0"))), "2 version tags",
             facts(git=git(tags=("v1.2.0", "x1.4.0")))),
        Case(facts(GOOD + SUFFIX, git=git(tags=("1.2.0-rel", "1.3.0-rel", "1.4.0"))), "2 version tags",
             facts(GOOD + SUFFIX, git=git(tags=("1.2.0-rel", "1.4.0"))))],
    "REL015": [Case(facts(git=git(on_default=False, branch=None)), "on no branch", facts(git=None), WARNING)],
    "REL020": [Case(facts(change(('"MIT"', '"MIT AND"'))), "not an SPDX", NO_TABLE)],
    "REL021": [Case(facts(change(('"Typing', '"License :: OSI Approved :: MIT License",\n    "Typing'), text=HATCH)),
                    "beside license", facts(HATCH), WARNING)],
    "REL022": [
        Case(facts(change((LICENCE, 'license = "MIT"\n')), files=without("LICENSE")), "there is no licence file",
             facts(change((LICENCE, 'license = "MIT"\n'), ("requires = [", 'requires = ["coherent.licensed", ')),
                   files=without("LICENSE")), WARNING),
        Case(licence('license-files = { paths = ["NOPE"] }\n'), "NOPE matches no file",
             licence('license-files = { globs = ["LICEN*"] }\n')),
        Case(licence("", '\n[tool.setuptools]\nlicense-files = ["NOPE"]\n'), "NOPE matches",
             licence("", '\n[tool.setuptools]\nlicense-files = ["LICENSE"]\n')),
        Case(licence('license-files = ["LICEN*"]\n',
                     files=(*without("LICENSE"), "sub/LICENSE")), "LICEN* matches no file", NO_TABLE),
        Case(licence('license-files = ["LICENSE", "texts/**/*.txt"]\n'), "texts/**/*.txt matches no file",
             licence('license-files = ["LICENSE", "texts/**/*.txt"]\n',
                     files=(*TREE, "texts/a/b.txt"))),
        Case(licence('license-files = ["LICENSE", "vendor/lib/LICENSE"]\n'), "vendor/lib/LICENSE matches no file",
             replace(licence('license-files = ["LICENSE", "vendor/lib/LICENSE"]\n'), absent=("vendor/lib",))),
        Case(facts(change((LICENCE, 'license = "MIT"\n')), files=(*without("LICENSE"), "license.txt")),
             "license.txt is not named", facts(), WARNING),
        Case(licence('license-files = ["LICENSE", "/LICENSE"]\n'), "/LICENSE leaves",
             facts(files=(*TREE, "sub/LICENSE.md", "license.py")))],
    "REL023": [Case(facts(files=without("LICENSE"), loose=("LICENSE",)), "git doesn't track", UNTRACKED)],
    "REL030": [
        Case(facts(change(('requires-python = ">=3.11"\n', ""))), "missing", NO_TABLE, WARNING),
        Case(facts(change(('requires-python = ">=3.11"\n', ""))), "missing",
             facts(change(('requires-python = ">=3.11"\n', 'dynamic = ["requires-python"]\n'))), WARNING)],
    "REL032": [Case(facts(python(">=3.9")), "3.9 and 3.10", facts(change(('requires-python = ">=3.11"\n', ""))),
                    WARNING)],
    "REL033": [Case(facts(change((":: 3.11", ":: 3.9"))), "names Python 3.9",
                    facts(change(('requires-python = ">=3.11"\n', ""))), WARNING)],
    "REL041": [Case(facts(dependency("numpy==1")), "pinned", ODD_DEPENDENCY, WARNING)],
    "REL042": [
        Case(facts(dependency("numpy!=1.25")), "no lower bound", ODD_DEPENDENCY, WARNING),
        Case(facts(dependency("numpy")), "no lower bound",
             facts(change((DEPENDENCY, '"numpy @ https://example.org/n.whl"'), ("pytest>=8", "pytest"))), WARNING)],
    "REL043": [Case(facts(dependency("numpy@file:///n.whl")), "by its address", ODD_DEPENDENCY)],
    "REL044": [
        Case(facts(dependency("black>=24")), "for developers", ODD_DEPENDENCY, WARNING),
        Case(facts(dependency("pytest>=8")), "for developers",
             facts(change(('"demo-tool"', '"pytest-demo"'), (DEPENDENCY, '"pytest>=8"'))), WARNING)],
    "REL050": [Case(NO_TABLE, "only once the package is built", facts(), WARNING)],
    "REL054": [
        Case(facts(change(('["setuptools>=77.0.3"]', "[]"))), "lacks setuptools",
             facts(change(('["setuptools>=77.0.3"]', '[]\nbackend-path = ["."]')))),
        Case(facts(change(('["setuptools>=77.0.3"]', '["setuptools-scm"]'))), "lacks setuptools",
             facts(change(('["setuptools>=77.0.3"]', "[]"), ("setuptools.build_meta", "our_own"))))],
    "REL055": [
        Case(facts(change(("scm>=8", "scm>=7"), text=SCM) + 'version_file = "v.py"\n', version="1.2.0"),
             "version_file", facts(change(("scm>=8", "scm>=7"), text=SCM), version="1.2.0"), WARNING),
        Case(facts(change(("77.0.3", "70"))), "setuptools>=70 admits",
             facts(change(("setuptools>=77.0.3", "uv-build"), ("setuptools.build_meta", "uv_build"))), WARNING)],
    "REL060": [
        Case(facts(change(('"README.md"', '{ text = "Demo", content-type = "text/plain" }'))), "not rendered",
             NO_TABLE, UNVERIFIED),
        Case(facts(change(('"README.md"', '{ text = 3, content-type = "text/plain" }'))), "no README is declared",
             facts(), WARNING)],
    "REL061": [
        Case(readme('<picture><source srcset="docs/b.png 2x"><img alt="x" src="//e.org/a.png"></picture>\n'),
             "docs/b.png is relative", readme('<a name="x"></a> <img alt="none"> <picture><source></picture>\n'),
             WARNING),
        Case(readme("![A](/a.png)\n"), "/a.png is relative", NO_README, WARNING)],
    "REL062": [Case(readme('<a href="x.md">x</a>\n'), "the link is relative: x.md", NO_README, WARNING)],
    "REL063": [
        Case(readme("<center>Hello</center>\n"), "<center> is dropped", NO_README, WARNING),
        Case(readme("<center>Hello</center>\n"), "<center> is dropped",
             readme("<center>Hello</center>\n", "README.txt"), WARNING)],
    "REL080": [Case(facts(change(('name = "demo-tool"\n', ""))), "has no name", NO_TABLE)],
    "REL081": [
        Case(facts(index=Answer("pypi", exists=True, versions=frozenset({"1.1.0"})), tags=("x1.1.0", "v1.2.0")),
             "it is unknown", facts(git=None, index=TAKEN), UNVERIFIED)],
    "REL082": [Case(facts(index=Answer("pypi", similar=("demo_too1",))), "demo_too1",
                    facts(index=Answer("pypi", exists=True, similar=("DemoTool",))))],
    "REL083": [Case(facts(index=Answer("pypi", exists=True, versions=frozenset({"1.2.0"}))), "has version", UNKNOWN)],
    "REL091": [
        Case(facts(f'{GOOD}{IGNORE}XYZ601 = "x"\n'), "no rule XYZ601", facts(f'{GOOD}{IGNORE}REL899 = "x"\n')),
        Case(facts(f'{GOOD}{IGNORE}REL6011 = "x"\n'), "no rule REL6011", facts(f'{GOOD}{IGNORE}REL008 = "x"\n')),
        Case(facts(f'{GOOD}{IGNORE}REL6x1 = "x"\n'), "no rule REL6x1", facts()),
        Case(facts(f'{GOOD}{IGNORE}REL099 = "x"\n'), "no rule REL099", facts())],
}
