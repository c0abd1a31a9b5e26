"""The seeded defects and near misses, keyed by the code of the rule that must find them."""

from __future__ import annotations

from datetime import date

from tooling.tests.release.rule_cases import (
    COMMIT,
    GOOD,
    HATCH,
    OFFLINE,
    SCM,
    TAKEN,
    TREE,
    UNVERIFIED,
    WARNING,
    Case,
    change,
    facts,
    git,
    readme,
    without,
)

from labhandbook.release.lookup import Answer
from labhandbook.release.version import FoundVersion

DYNAMIC = 'dynamic = ["version"]'
STATIC = 'version = "1.2.0"'
LICENCE = 'license = "MIT"\nlicense-files = ["LICENSE"]\n'
DEPENDENCY = '"numpy>=1.26"'
FIND = '[tool.setuptools.packages.find]\ninclude = ["demo_tool", "demo_tool.*"]\n'
IGNORE = '\n[tool.handbook.release.ignore]\n'
NO_VERSION = FoundVersion(None, "setuptools-scm", problem="no tag was found")
RST = "Demo\n====\n\nSee the `manual <https://example.org>`_.\n"


def dependency(text: str) -> str:
    """The good project with another dependency."""
    return change((DEPENDENCY, f'"{text}"'))


def packages(text: str) -> str:
    """The good project with another choice of packages."""
    return change((FIND, text))


def python(text: str) -> str:
    """The good project with another requires-python."""
    return change(('">=3.11"', f'"{text}"'), ('    "Programming Language :: Python :: 3.11",\n', ""))


def flit(text: str) -> str:
    """The good project built by flit, with more tables."""
    return change(("setuptools>=77.0.3", "flit-core>=3.12"), ("setuptools.build_meta", "flit_core.buildapi"), (FIND, text))


CASES: dict[str, list[Case]] = {
    "REL001": [Case(facts(SCM, version=NO_VERSION), "no tag was found", facts(SCM, version="1.2.0"), UNVERIFIED)],
    "REL002": [
        Case(facts(change((STATIC, 'version = "1.2-beta-x"'))), "not a version", facts(change((STATIC, 'version = "1.2b1"')))),
        Case(facts(change((STATIC, 'version = "v1.2.0"'))), "becomes 1.2.0", facts()),
        Case(facts(change((STATIC, 'version = "1.2.0-rc1"'))), "becomes 1.2.0rc1",
             facts(change((STATIC, 'version = "1.2.0rc1"'))), WARNING)],
    "REL003": [
        Case(facts(change((STATIC, f"{STATIC}\n{DYNAMIC}"))), "in [project] and in dynamic", facts(SCM)),
        Case(facts(change((STATIC, "")), version="1.2.0"), "neither", facts(SCM, version="1.2.0")),
        Case(facts(change((DYNAMIC, STATIC), text=SCM)), "written out", facts(), WARNING)],
    "REL004": [Case(facts(change((STATIC, 'version = "0.0.0"'))), "0.0.0", facts(change((STATIC, 'version = "0.0.1"'))))],
    "REL005": [
        Case(facts(SCM, version="1.2.1.dev3+gc0ffee", git=git(tags=())), "local version: the commit has no tag",
             facts(SCM, version="1.2.1")),
        Case(facts(SCM, version="0.1.dev1", git=git(shallow=True)), "the clone is shallow", facts(SCM, version="0.1rc1")),
        Case(facts(SCM, version="1.2.0+d20261122", git=git(dirty=("x",))), "files are changed",
             facts(SCM, version="1.2.0.post1"))],
    "REL006": [
        Case(facts(change(("[tool.setuptools_scm]", ""), text=SCM)), "no [tool.setuptools_scm] table",
             facts(change(("[tool.setuptools_scm]", ""), ("scm>=8", "scm[simple]>=9.2"), text=SCM), version="1.2.0")),
        Case(facts(change((STATIC, DYNAMIC))), "nothing says", facts(SCM, version="1.2.0")),
        Case(facts(change((', "setuptools-scm>=8"', ""), text=SCM), version="1.2.0"), "lacks setuptools-scm",
             facts(SCM, version="1.2.0")),
        Case(facts(change((STATIC, DYNAMIC), text=HATCH) + '[tool.hatch.version]\nsource = "vcs"\n', version="1.2.0"),
             "lacks hatch-vcs",
             facts(change((STATIC, DYNAMIC), text=HATCH) + '[tool.hatch.version]\npath = "x.py"\n', version="1.2.0"))],
    "REL007": [
        Case(facts(texts={"demo_tool/__init__.py": '__version__ = "1.1.0"\n'}), "__version__ is 1.1.0",
             facts(texts={"demo_tool/__init__.py": '__version__ = "1.2"\n'})),
        Case(facts(texts={"src/demo_tool/__init__.py": '__version__: str = "0"\n'}), "__version__ is 0",
             facts(texts={"demo_tool/sub/__init__.py": '__version__ = "0"\n',
                          "src/demo_tool/__init__.py": '__version__ = version("demo-tool")\n'}))],
    "REL008": [
        Case(facts(texts={"CHANGELOG.md": "# Changelog\n\n## 1.2.0.1\n\n## 11.2.0\n\nSoon 1.2.0 comes.\n"}),
             "no heading for 1.2.0",
             facts(texts={"CHANGELOG.md": "# Changelog\n\n## Version v1.2.0 (2026-01-02)\n"})),
        Case(facts(files=without("CHANGELOG.md"), texts={"CHANGES.rst": "1.1.0\n-----\n"}), "no heading",
             facts(files=without("CHANGELOG.md"), texts={"CHANGES.rst": "1.2.0 (2026)\n------------\n"})),
        Case(facts(files=without("CHANGELOG.md")), "no change log",
             facts(files=without("CHANGELOG.md"), texts={"docs": "", "NEWS": "1.2.0\n"}), WARNING)],
    "REL009": [Case(facts(texts={"CITATION.cff": "title: X\nversion: 1.1.0\n"}), "says 1.1.0",
                    facts(texts={"CITATION.cff": 'version: "1.2"\nreferences:\n  - version: 0.9\n'}))],
    "REL010": [Case(facts(git=None), "git doesn't know", facts(), UNVERIFIED)],
    "REL011": [Case(facts(git=git(dirty=("a.py", "b.py"))), "2 files are changed or not in git: a.py and b.py", facts())],
    "REL012": [
        Case(facts(SCM, version="1.2.0", git=git(shallow=True)), "shallow", facts(SCM, version="1.2.0")),
        Case(facts(git=git(shallow=True)), "shallow", facts(), WARNING)],
    "REL013": [
        Case(facts(git=git(tags=("v1.3.0",))), "tagged v1.3.0, the version is 1.2.0",
             facts(git=git(tags=("v1.3.0", "v1.2.0")))),
        Case(facts(git=git(tags=("latest",), remote_tags={}), tags=("v1.1.0",)), "has no tag v1.2.0", facts(), WARNING),
        Case(facts(git=git(tags=())), "v1.2.0 is on another commit", facts(git=git(tags=("v1.2.0", "latest")))),
        Case(facts(git=git(tags=()), tags=()), "v1.2.0 is on origin, but",
             facts(git=git(tags=("demo/1.2.0",)), text=GOOD + '\n[tool.handbook.release]\ntag = "demo/{version}"\n'))],
    "REL014": [Case(facts(git=git(tags=("v1.2.0", "v1.2.0rc1"))), "2 version tags",
                    facts(git=git(tags=("v1.2.0", "other-v1.3.0", "vintage"))))],
    "REL015": [
        Case(facts(git=git(on_default=False, branch="topic")), "on topic, not on main", facts(git=git(branch="topic")), WARNING),
        Case(facts(git=git(on_default=None, default_branch=None)), "can't be told", facts(), UNVERIFIED)],
    "REL016": [
        Case(facts(git=git(remote_tags={})), "v1.2.0 is not on origin yet", facts(), WARNING),
        Case(facts(git=git(remote_tags={"v1.2.0": "0" * 40})), "another commit (000000000)",
             facts(git=git(remote_tags={"v1.2.0": COMMIT, "v1.1.0": "0" * 40}))),
        Case(facts(git=git(remote_tags=None)), "did not answer", facts(git=git(remote_tags=None, tags=())), UNVERIFIED),
        Case(facts(git=git(remote_tags=None, remote=None)), "no remote", facts(), UNVERIFIED)],
    "REL020": [
        Case(facts(change((LICENCE, 'license = { file = "LICENSE" }\n'))), "reads it until 2027-02-18", facts(), WARNING),
        Case(facts(change((LICENCE, 'license = { text = "MIT" }\n'), text=HATCH)), "deprecated form", facts(HATCH), WARNING),
        Case(facts(change(('"MIT"', '"The MIT one"'))), "not an SPDX", facts(change(('"MIT"', '"MIT OR Apache-2.0"')))),
        Case(facts(change((LICENCE, ""))), "no licence is declared", facts(change((LICENCE, 'dynamic = ["license"]\n')))),
        Case(facts(change((LICENCE, ""), ('"Typing', '"License :: OSI Approved :: MIT License",\n    "Typing'))),
             "in a classifier only", facts(), WARNING),
        Case(facts(GOOD + '\n[tool.setuptools]\nlicense-files = ["LICENSE"]\n'), "tool.setuptools.license-files",
             facts(GOOD + "\n[tool.setuptools]\nzip-safe = false\n"), WARNING)],
    "REL021": [Case(facts(change(('"Typing', '"License :: OSI Approved :: MIT License",\n    "Typing'))), "beside license",
                    facts(change((LICENCE, ""), ('"Typing', '"License :: OSI Approved :: MIT License",\n    "Typing'))))],
    "REL022": [
        Case(facts(files=without("LICENSE")), "LICENSE matches no file", facts()),
        Case(facts(change((LICENCE, 'license = "MIT"\n')), files=without("LICENSE")), "there is no licence file",
             facts(change((LICENCE, 'license = "MIT"\n')), files=(*without("LICENSE"), "COPYING"))),
        Case(facts(files=(*TREE, "LICENSE-data")), "LICENSE-data is not named",
             facts(change(('["LICENSE"]', '["LICEN[CS]E*"]')), files=(*TREE, "LICENSE-data"))),
        Case(facts(change(('["LICENSE"]', '["../LICENSE"]'))), "leaves the project", facts())],
    "REL023": [
        Case(facts(files=without("LICENSE"), loose=("LICENSE",)), "git doesn't track LICENSE", facts(loose=("notes.txt",))),
        Case(facts(flit('[tool.flit.sdist]\nexclude = ["LICEN*"]\n')), "tool.flit.sdist.exclude leaves out LICENSE",
             facts(flit('[tool.flit.sdist]\nexclude = ["docs/*"]\n')))],
    "REL030": [
        Case(facts(change(('requires-python = ">=3.11"\n', ""))), "missing", facts()),
        Case(facts(python("three")), "can't be read", facts(python("~=3.11"))),
        Case(facts(python("!=3.12")), "no floor", facts(python(">3.10.99,!=3.12")))],
    "REL031": [
        Case(facts(python(">=3.11,<3.14")), "upper bound <3.14", facts(python(">=3.11,!=3.13.0"))),
        Case(facts(python(">=3.11,<4")), "upper bound <4", facts(python("~=3.11")), WARNING),
        Case(facts(python("~=3.11.2")), "~=3.11.2", facts())],
    "REL032": [
        Case(facts(python(">=3.10")), "3.10 ended in October 2026; the oldest that gets fixes is 3.11", facts(), WARNING),
        Case(facts(today=date(2027, 11, 1)), "3.11 ended in October 2027",
             facts(python(">=3.10"), today=date(2026, 10, 31)), WARNING),
        Case(facts(today=date(2027, 5, 22)), "looked up again by 2027-05-21", facts(today=date(2027, 5, 21)), UNVERIFIED)],
    "REL033": [
        Case(facts(change((":: 3.11", ":: 3.10"))), "names Python 3.10", facts(change(('">=3.11"', '">=3.11.4"')))),
        Case(facts(change((":: 3.11", ":: 3.12"))), "begins at 3.11, the classifiers at 3.12",
             facts(change((":: 3.11", ":: 3 :: Only"))), WARNING)],
    "REL040": [
        Case(facts(dependency("numpy>>1")), "is not a requirement", facts(dependency("numpy[x]>=1; python_version<'4'"))),
        Case(facts(change((f"dependencies = [\n    {DEPENDENCY},\n]", 'dynamic = ["dependencies"]'))), "computed",
             facts(change((f"dependencies = [\n    {DEPENDENCY},\n]", 'dynamic = ["dependencies"]'))
                   + '[tool.setuptools.dynamic]\ndependencies = { file = "needs.txt" }\n',
                   texts={"needs.txt": "# all\nnumpy>=1  # arrays\n"}), UNVERIFIED),
        Case(facts(change((f"dependencies = [\n    {DEPENDENCY},\n]", 'dynamic = ["dependencies"]'))
                   + '[tool.setuptools.dynamic]\ndependencies = { file = "needs.txt" }\n'), "needs.txt, which is missing",
             facts())],
    "REL041": [Case(facts(dependency("numpy==1.26.4")), "pinned", facts(dependency("numpy==1.*"))),
               Case(facts(dependency("numpy===1.26")), "pinned", facts(change(("pytest>=8", "pytest==8.3.1"))))],
    "REL042": [Case(facts(dependency("numpy<3")), "no lower bound", facts(dependency("numpy~=1.26")), WARNING),
               Case(facts(dependency("demo-tools")), "no lower bound", facts(dependency("demo_tool[extra]")), WARNING)],
    "REL043": [
        Case(facts(dependency("numpy @ git+https://example.org/n.git")), "by its address", facts()),
        Case(facts(change(("pytest>=8", "pytest @ https://example.org/p.whl"))), "in the extra test", facts())],
    "REL044": [
        Case(facts(dependency("pytest>=8")), "for developers", facts(dependency("pytester>=8"))),
        Case(facts(dependency("pytest-cov>=5")), "for developers",
             facts(change((DEPENDENCY, '"pytest>=8"')) + '\n[project.entry-points.pytest11]\ndemo = "demo_tool"\n'))],
    "REL050": [Case(facts("[build-system]\nrequires = []\n", version=NO_VERSION), "no [project] table", facts(), WARNING)],
    "REL051": [
        Case(facts(change(("description =", "descriptoin ="))), "descriptoin", facts()),
        Case(facts(change(('"A tool."', "3"))), "description", facts(change(('"A tool."', '"3"'))))],
    "REL052": [
        Case(facts(change(('"Typing :: Typed"', '"Typing :: Typd"'))), "did you mean Typing :: Typed?",
             facts(change(('"Typing :: Typed"', '"Topic :: Scientific/Engineering"')))),
        Case(facts(change(('"Typing :: Typed"', '"Natural Language :: Ukranian"'))), "deprecated", facts(), WARNING)],
    "REL053": [Case(facts(change(('"Typing :: Typed"', '"Private :: Do Not Upload"'))), "off PyPI", facts())],
    "REL054": [
        Case(facts(change((GOOD.split("[project]")[0], ""))), "no [build-system]", facts(), WARNING),
        Case(facts(change(("setuptools>=77.0.3", "wheel"))), "lacks setuptools", facts())],
    "REL055": [
        Case(facts(change(("77.0.3", "77.0.2"))), "setuptools>=77.0.2 admits versions older than 77.0.3",
             facts(change((">=77.0.3", ">77.0.3,!=78"))), WARNING),
        Case(facts(change(("setuptools>=77.0.3", "setuptools"))), "setuptools admits", facts(), WARNING),
        Case(facts(change((">=77.0.3", ">=60"), (LICENCE, ""))), "older than 61", facts(change((">=77.0.3", ">=61"), (LICENCE, ""))),
             WARNING),
        Case(facts(change(("1.27", "1.25"), text=HATCH)), "older than 1.26", facts(HATCH), WARNING),
        Case(facts(change(("scm>=8", "scm[simple]>=8"), text=SCM)), "older than 9.2",
             facts(change(("scm>=8", "scm[simple]>=9.2"), text=SCM)), WARNING)],
    "REL060": [
        Case(facts(change(('readme = "README.md"\n', ""))), "no README is declared", facts()),
        Case(facts(change(("README.md", "READ.md"))), "READ.md is missing", facts()),
        Case(facts(texts={"README.md": " \n"}), "empty", facts(texts={"README.md": "Demo"})),
        Case(readme("x", "README.adoc"), "an ending without a content type",
             facts(change(('"README.md"', '{ file = "README", content-type = "text/plain" }')), texts={"README": "x"})),
        Case(facts(change(('readme = "README.md"', 'dynamic = ["readme"]'))), "by the backend", facts(), UNVERIFIED)],
    "REL061": [
        Case(readme("![A](docs/a.png)\n"), "docs/a.png is relative", readme("`![A](docs/a.png)` ![B](//example.org/a.png)\n")),
        Case(readme('<picture><img alt="x" src="./a.png"></picture>\n'), "./a.png",
             readme('<img alt="x" src="https://example.org/a.png">\n')),
        Case(readme(f"{RST}\n.. image:: a.png\n", "README.rst"), "a.png",
             readme(f"{RST}\n.. image:: https://example.org/a.png\n", "README.rst"))],
    "REL062": [Case(readme("See [it](LICENSE).\n"), "LICENSE is relative", readme("[it](mailto:a@example.org) [up](#top)\n"), WARNING),
               Case(readme("See [it].\n\n[it]: docs/x.md\n"), "docs/x.md", readme("    See [it](LICENSE).\n"), WARNING)],
    "REL063": [
        Case(readme("<center>Hello</center>\n"), "<center> is dropped", readme('<p align="center">Hello</p>\n'), WARNING),
        Case(readme('<p style="color: red">Hello</p>\n'), "<p> loses style", readme("```html\n<p style='x'>\n```\n"), WARNING),
        Case(readme("A\n\n<script>alert(1)</script>\n"), "shown as text", readme("`<script>` is code.\n")),
        Case(readme("Demo\n===\n\n.. nothing:: x\n", "README.rst"), "can't show it", readme(RST, "README.rst"))],
    "REL070": [
        Case(facts(change(('"demo_tool", "demo_tool.*"', '"demotool*"'))), "no module demotool*", facts()),
        Case(facts(packages(""), files=(*TREE, "matlab/x.m")), "demo_tool and matlab all look like", facts(packages(""))),
        Case(facts(packages('[tool.setuptools]\npackages = ["demo_tool", "demo_tol.sub"]\n')), "no module demo_tol.sub",
             facts(packages('[tool.setuptools]\npackages = ["demo_tool", "demo_tool.sub"]\n'))),
        Case(facts(change(("demo-tool", "other"), text=HATCH)), "no module other", facts(HATCH)),
        Case(facts(packages(""), texts={"setup.py": "setup(packages=find_packages())"}), "setup.py chooses",
             facts(packages(""), texts={"setup.py": "setup()"}), UNVERIFIED)],
    "REL071": [
        Case(facts(change((', "demo_tool.*"', ""))), "demo_tool.sub isn't in the wheel", facts()),
        Case(facts(packages('[tool.setuptools]\npackages = ["demo_tool"]\n')), "demo_tool.sub",
             facts(packages('[tool.setuptools]\npackages = ["demo_tool", "demo_tool.sub"]\n'))),
        Case(facts(change((FIND, '[tool.setuptools]\npackages = ["demo_tool"]\n'), text=SCM), version="1.2.0"), "for data of",
             facts(change((FIND, '[tool.setuptools]\npackages = ["demo_tool"]\n[tool.setuptools.exclude-package-data]\n'
                                 'demo_tool = ["sub/*"]\n'), text=SCM), version="1.2.0"), WARNING),
        Case(facts(change(("demo-tool", "demo"), text=HATCH), files=("src/demo/__init__.py", "src/more/__init__.py", "LICENSE")),
             "more isn't in the wheel",
             facts(change(("demo-tool", "demo"), text=HATCH), files=("src/demo/__init__.py", "more/__init__.py", "LICENSE")), WARNING)],
    "REL072": [
        Case(facts(files=(*TREE, "demo_tool/bare/x.py")), "demo_tool/bare has modules",
             facts(files=(*TREE, "demo_tool/bare/x.csv", "demo_tool/not-a-name/x.py", "scripts/x.py")), WARNING),
        Case(facts(GOOD + "namespaces = false\n", files=(*TREE, "demo_tool/bare/x.py")), "only packages with one",
             facts(GOOD + "namespaces = false\n", files=(*TREE, "demo_tool/bare/x.py", "demo_tool/bare/__init__.py")))],
    "REL080": [
        Case(facts(change(('"demo-tool"', '"-demo"'))), "not a legal name", facts(change(('"demo-tool"', '"Demo.Tool"')))),
        Case(facts(change(('"demo-tool"', '"json"'))), "a module of Python", facts(change(('"demo-tool"', '"json-5"')))),
        Case(facts(change(('"demo-tool"', '"requirements.txt"'))), "mistype", facts())],
    "REL081": [
        Case(facts(index=Answer("pypi", exists=True, urls=frozenset({"https://example.org/others/demo-tool"}))),
             "its links are not this one's", facts(index=TAKEN)),
        Case(facts(index=Answer("pypi", exists=True)), "nothing says",
             facts(index=Answer("pypi", exists=True, versions=frozenset({"1.1.0"}))), UNVERIFIED),
        Case(facts(index=Answer("pypi", exists=True, summary="A tale.")), "A tale.",
             facts(index=Answer("pypi", exists=True, summary="A tool.")), UNVERIFIED),
        Case(facts(index=OFFLINE), "timed out", facts(), UNVERIFIED)],
    "REL082": [Case(facts(index=Answer("pypi", similar=("DemoTool",))), "DemoTool", facts(index=Answer("pypi", similar=("demo-tools",))))],
    "REL083": [
        Case(facts(index=Answer("pypi", exists=True, files=frozenset({"Demo_Tool-1.2.tar.gz"}))), "Demo_Tool-1.2.tar.gz",
             facts(index=Answer("pypi", exists=True, files=frozenset({"demo_tool-1.2.0rc1.tar.gz", "odd"})))),
        Case(facts(index=Answer("pypi", exists=True, versions=frozenset({"1.2.0"}))), "has version 1.2.0", facts(index=TAKEN)),
        Case(facts(index=OFFLINE), "timed out", facts(), UNVERIFIED)],
    "REL090": [Case(facts(f'{GOOD}{IGNORE}REL008 = " "\n'), "REL008 is ignored without a reason",
                    facts(f'{GOOD}{IGNORE}REL008 = "told on the page"\n'))],
    "REL091": [
        Case(facts(f'{GOOD}{IGNORE}REL0O8 = "x"\n'), "no rule REL0O8; did you mean REL0", facts(f'{GOOD}{IGNORE}REL601 = "x"\n')),
        Case(facts(f'{GOOD}{IGNORE}REL090 = "x"\n'), "can't be ignored", facts())],
}
