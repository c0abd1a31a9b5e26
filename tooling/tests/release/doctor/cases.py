"""For every rule of the doctor a repository with the error that users met, and one that just misses it."""

from __future__ import annotations

from dataclasses import replace

from labhandbook.release.doctor.repository import Answer, Earlier, Environment
from tooling.tests.release.doctor.base import (
    BUILD,
    GITHUB,
    GOOD,
    PIN,
    PYPROJECT,
    RELEASE,
    SILENT,
    TEST,
    TESTPYPI,
    TWINE,
    UNVERIFIED,
    WARNING,
    Case,
    after,
    change,
    repository,
)
from tooling.tests.release.rule_cases import GOOD as STATIC
from tooling.tests.release.rule_cases import SCM

TAGS = '  push:\n    tags: ["v*"]\n'
PUBLISH = "      - name: Publish\n"
ACTION = "        uses: pypa/gh-action-pypi-publish@dc37677b2e1c63e2034f94d8a5b11f265b73ba33 # v1.14.2\n"
WITH = ACTION + "        with:\n"
NAMED = "    environment:\n      name: pypi\n      url: https://example.org/demo-tool\n"
IDENTITY = "    permissions:\n      id-token: write\n"
PYPI = NAMED + IDENTITY
BUILDING = '          python -m pip install build\n          python -m build\n'
SCM_ALONE = SCM  # nothing recorded
EARLIER = Earlier("v1.1.0", frozenset({("release.yml", "testpypi"), ("release.yml", "pypi")}))
CALLED = change((TAGS, "  workflow_call:\n"))
CALLER = """\
on:
  push:
    tags: ["v*"]
permissions: {}
jobs:
  release:
    permissions:
      contents: write
      id-token: write
    uses: ./.github/workflows/release.yml
"""
BY_HAND = TAGS + "  workflow_dispatch:\n"
RELEASED = change((TAGS, "  release:\n    types: [published]\n"))
CREATOR = """\
on:
  push:
    branches: [main]
permissions:
  contents: write
jobs:
  bump:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@%s
      - run: gh release create "v$(cat VERSION)" --generate-notes
        env:
          GH_TOKEN: ${{ secrets.GITHUB_TOKEN }}
""" % PIN
TAGGER = change(("      - run: gh release create \"v$(cat VERSION)\" --generate-notes\n        env:\n"
                 "          GH_TOKEN: ${{ secrets.GITHUB_TOKEN }}\n",
                 "      - run: |\n          git tag \"v$(cat VERSION)\"\n          git push --tags\n"), text=CREATOR)
COMPOSITE = """\
name: Publish
description: Publishes
runs:
  using: composite
  steps:
    - uses: pypa/gh-action-pypi-publish@release/v1
"""


def environments(**changed: Environment) -> Answer:
    """What GitHub says, with other environments."""
    return replace(GITHUB, environments={**GITHUB.environments, **changed})


IDENTITY_CASES: dict[str, list[Case]] = {
    "GHA001": [
        Case(repository(others={TEST: "on: push\njobs:\n  a: b: c\n"}), "  a: b: c", "mapping values",
             repository(others={TEST: "on: push\njobs:\n  a: {}\n"}), file=TEST),
        Case(repository(others={TEST: "name: test\non: push\n"}), "name: test", "no `jobs:`",
             repository(others={TEST: "on: [push]\njobs: {}\n"}), file=TEST),
        Case(repository(others={TEST: "on: push\njobs:\n  tags: [**]\n"}), "  tags: [**]", "can't be read",
             repository(others={TEST: 'on: push\njobs:\n  tags: ["**"]\n'}), file=TEST)],
    "GHA002": [
        Case(repository("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make publish\n"), "",
             "no workflow", repository(), UNVERIFIED, ".github/workflows"),
        Case(repository(others={TEST: "on: push\njobs:\n  a:\n    permissions: {id-token: write}\n"
                                      "    uses: lab/tools/.github/workflows/publish.yml@v1\n"}),
             "    uses: lab/tools/.github/workflows/publish.yml@v1", "which can't be read from here",
             repository(others={TEST: "on: push\njobs:\n  a:\n    permissions: {contents: read}\n"
                                      "    uses: lab/tools/.github/workflows/test.yml@v1\n"}), UNVERIFIED, TEST)],
    "GHA003": [
        Case(repository(pyproject=PYPROJECT.replace('"release.yml"', '"publish.yml"')), 'workflow = "publish.yml"',
             "publish.yml is registered, and release.yml publishes", repository(), file="pyproject.toml"),
        Case(repository(slug="other/demo-tool"), 'workflow = "release.yml"',
             "group/demo-tool is registered, and the remote is other/demo-tool", repository(slug="Group/Demo-Tool"),
             file="pyproject.toml"),
        Case(repository(others={BUILD: GOOD}), ACTION, "build.yml publishes too",
             repository(others={BUILD: change((TAGS, "  workflow_dispatch:\n"),
                                              (IDENTITY, ""), (ACTION, WITH + "          password: x\n"),
                                              (TESTPYPI, f"{TESTPYPI}\n          password: y"))}), file=BUILD),
        Case(repository(pyproject=SCM_ALONE, earlier=Earlier("v1.1.0", frozenset({("publish.yml", "pypi")}))), ACTION,
             "at v1.1.0 it was publish.yml", repository(earlier=EARLIER), WARNING),
        Case(repository(pyproject=SCM_ALONE), ACTION, "the form must say owner group, repository demo-tool, workflow "
             "release.yml, environment pypi", repository(), UNVERIFIED)],
    "GHA004": [
        Case(repository(change(("name: pypi\n", "name: release\n"))), "      name: release",
             "pypi is registered on PyPI, and pypi runs in release", repository(change(("name: pypi\n", "name: PyPI\n")))),
        Case(repository(change((NAMED, ""))), "  pypi:", "runs in no environment",
             repository(change((NAMED, "    environment: pypi\n")))),
        Case(repository(change(("environment: testpypi", "environment: ${{ vars.WHERE }}"))),
             "    environment: ${{ vars.WHERE }}", "can't be told",
             repository(pyproject=PYPROJECT.replace('testpypi = "testpypi", ', "")), UNVERIFIED),
        Case(repository(change(("name: pypi\n", "name: release\n")), pyproject=SCM_ALONE, earlier=EARLIER),
             "      name: release", "at v1.1.0 it was pypi and testpypi", repository(earlier=EARLIER), WARNING)],
    "GHA005": [Case(repository(change((NAMED, ""))), "  pypi:", "without an environment",
                    repository(change(("    environment: testpypi\n", ""))), WARNING)],
    "GHA006": [
        Case(repository(github=Answer()), "      name: pypi", "isn't there yet", repository(), WARNING),
        Case(repository(github=environments(pypi=Environment("pypi"))), "      name: pypi", "asks nobody",
             repository(github=environments(pypi=Environment("PyPI", asks=True))), WARNING),
        Case(repository(github=SILENT), "      name: pypi", "GitHub can't be reached",
             repository(change((NAMED, "    environment: ${{ vars.WHERE }}\n")), github=SILENT), UNVERIFIED)],
    "GHA007": [
        Case(repository(github=environments(pypi=Environment("pypi", True, (("main", "branch"),)))),
             "      name: pypi", "admits branch main, and not the tag v1.2.3",
             repository(github=environments(pypi=Environment("pypi", True, (("v*", "tag"),))))),
        Case(repository(github=environments(testpypi=Environment("testpypi", False, ()))), "    environment: testpypi",
             "admits protected branches",
             repository(change((TAGS, "  workflow_dispatch:\n")), github=environments(pypi=Environment("pypi", True, ()))))],
    "GHA008": [
        Case(repository(CALLED, others={TEST: CALLER}), ACTION, "test.yml calls release.yml to upload",
             repository(GOOD, others={TEST: CALLER.replace("release.yml", "other.yml")})),
        Case(repository(CALLED), ACTION, "can only be called",
             repository(change((TAGS, BY_HAND + "  workflow_call:\n")))),
        Case(repository(change((TAGS, "  workflow_call:\n"), (ACTION, WITH + "          attestations: false\n"),
                               (TESTPYPI, f"{TESTPYPI}\n          attestations: false")), others={TEST: CALLER}), ACTION,
             "to upload", repository(), WARNING)],
}

TRIGGER_CASES: dict[str, list[Case]] = {
    "GHA010": [
        Case(repository(tags=("1.1.0",)), '    tags: ["v*"]', "no pattern admits the tag 1.2.3 (after 1.1.0)",
             repository(change(('["v*"]', '["[0-9]+.[0-9]+.[0-9]+", "!*rc*"]')), tags=("1.1.0",))),
        Case(repository(change(('["v*"]', '["v1.20[2-9].[0-9]*"]'))), '    tags: ["v1.20[2-9].[0-9]*"]', "no pattern",
             repository(change(('["v*"]', '["v[12].*"]')))),
        Case(repository(change(('    tags: ["v*"]', '    tags-ignore: ["v1*"]'))), '    tags-ignore: ["v1*"]', "no pattern",
             repository(change(('    tags: ["v*"]', '    tags-ignore: ["*rc*"]')))),
        Case(repository(after("  pypi:\n", "    if: startsWith(github.ref, 'refs/tags/release-')\n",
                              change((TESTPYPI, "https://example.org")))),
             "    if: startsWith(github.ref, 'refs/tags/release-')", "pypi never runs on the tag v1.2.3",
             repository(after("  pypi:\n", "    if: startsWith(github.ref, 'refs/tags/v') && "
                                           "github.repository == 'somebody/else'\n")))],
    "GHA011": [
        Case(repository(change((TAGS, "  release:\n    types: [created]\n"))), "  release:",
             "saved as a draft first never starts", repository(RELEASED), WARNING),
        Case(repository(change((TAGS, "  release:\n"))), "  release:",
             "3 times: created, published, released", repository(change((TAGS, "  release:\n    types: published\n")))),
        Case(repository(change((TAGS, "  release:\n    types: [created, published]\n"))), "  release:", "2 times",
             repository(change((TAGS, "  release:\n    types: [created, published]\n"),
                               ("    needs: build\n", "    needs: build\n    if: github.event.action == 'published'\n"))))],
    "GHA012": [
        Case(repository(RELEASED, others={TEST: CREATOR}),
             '      - run: gh release create "v$(cat VERSION)" --generate-notes', "makes the release",
             repository(RELEASED, others={TEST: CREATOR.replace("secrets.GITHUB_TOKEN", "secrets.RELEASE_TOKEN")}), file=TEST),
        Case(repository(RELEASED, others={TEST: CREATOR}),
             '      - run: gh release create "v$(cat VERSION)" --generate-notes', "makes the release",
             repository(RELEASED, others={TEST: CREATOR.replace("create", "create --draft")}), file=TEST),
        Case(repository(RELEASED, others={TEST: CREATOR}),
             '      - run: gh release create "v$(cat VERSION)" --generate-notes', "makes the release",
             repository(GOOD, others={TEST: CREATOR}), file=TEST),
        Case(repository(others={TEST: TAGGER}), "          git push --tags", "makes the tag",
             repository(others={TEST: TAGGER.replace("      - run: |", "        with: {token: \"${{ secrets.BOT }}\"}\n"
                                                                      "      - run: |")}), file=TEST),
        Case(repository(RELEASED, others={TEST: change(
                ("      - run: gh release create \"v$(cat VERSION)\" --generate-notes\n        env:\n"
                 "          GH_TOKEN: ${{ secrets.GITHUB_TOKEN }}\n",
                 "      - uses: googleapis/release-please-action@v4\n"), text=CREATOR)}),
             "      - uses: googleapis/release-please-action@v4", "makes the release",
             repository(RELEASED, others={TEST: CREATOR + "      - run: gh workflow run release.yml\n"}), file=TEST)],
    "GHA013": [
        Case(repository(change((TAGS, TAGS + "  pull_request:\n"))), ACTION, "pypi uploads on pull_request",
             repository(change((TAGS, TAGS + "  pull_request:\n"),
                               ("    needs: build\n", "    needs: build\n    if: github.event_name == 'push'\n")))),
        Case(repository(change((TAGS, TAGS + "  pull_request_target:\n"))), ACTION, "uploads on pull_request_target",
             repository(change((TAGS, TAGS + "  pull_request:\n"),
                               ("    needs: build\n", "    needs: build\n    if: startsWith(github.ref, 'refs/tags/')\n")))),
        Case(repository(change((TAGS, TAGS + "  pull_request:\n"))), ACTION, "pypi uploads on pull_request",
             repository(change((TAGS, TAGS + "  pull_request:\n"),
                               ("    needs: build\n", "    needs: build\n    if: needs.build.outputs.target != ''\n"))))],
    "GHA014": [
        Case(repository(change((TAGS, "  push:\n    branches: [main]\n    tags: [\"v*\"]\n"))), ACTION,
             "on every push to a branch",
             repository(change((TAGS, "  push:\n    branches: [main]\n    tags: [\"v*\"]\n"),
                               ("    needs: testpypi\n", "    needs: testpypi\n    if: github.ref_type == 'tag'\n"))), WARNING),
        Case(repository(change((TAGS, "  push:\n"))), ACTION, "on every push to a branch",
             repository(change((TAGS, "  push:\n"), (PUBLISH, PUBLISH + "        if: startsWith(github.ref, 'refs/tags')\n"))),
             WARNING)],
    "GHA015": [
        Case(repository(change(('["v*"]', '["*"]'), (NAMED, ""))), "  push:", "any tag makes pypi upload",
             repository(change(('["v*"]', '["*"]'))), WARNING),
        Case(repository(change((TAGS, "  push:\n"), (NAMED, "    if: startsWith(github.ref, 'refs/tags')\n"))), "  push:",
             "any tag",
             repository(change((TAGS, "  push:\n"), (NAMED, "    if: startsWith(github.ref, 'refs/tags/v')\n"))), WARNING)],
    "GHA016": [
        Case(repository(loose=frozenset({RELEASE})), "", "release.yml isn't in git", repository(loose=frozenset({TEST}))),
        Case(repository(changed=frozenset({RELEASE})), "", "differs from the last commit",
             repository(changed=frozenset({TEST})), WARNING)],
}

PERMISSION_CASES: dict[str, list[Case]] = {
    "GHA020": [
        Case(repository(change((PYPI, NAMED))), "  pypi:", "pypi lacks id-token: write",
             repository(change((PYPI, NAMED), ("permissions: {}", "permissions:\n  id-token: write")))),
        Case(repository(change((PYPI, NAMED + "    permissions:\n      contents: read\n"),
                               ("permissions: {}", "permissions:\n  id-token: write"))), "    permissions:",
             "pypi lacks id-token: write", repository(change((PYPI, NAMED + "    permissions: write-all\n")))),
        Case(repository(change((PYPI, NAMED), text=TWINE)), "  pypi:", "lacks id-token",
             repository(change((PYPI, NAMED + "    env:\n      TWINE_PASSWORD: ${{ secrets.TOKEN }}\n"), text=TWINE))),
        Case(repository(CALLED, others={TEST: CALLER.replace("      id-token: write\n", "")}), "    permissions:",
             "release calls release.yml without granting", repository(CALLED, others={TEST: CALLER}), file=TEST)],
    "GHA021": [
        Case(repository(change(("    permissions:\n      contents: read\n", "")), github=replace(GITHUB, private=True)),
             f"      - uses: actions/checkout@{PIN}", "build can't check out a private repository", repository(
                 change(("    permissions:\n      contents: read\n", "")))),
        Case(repository(change(("    permissions:\n      contents: read\n", "")), github=SILENT),
             f"      - uses: actions/checkout@{PIN}", "build can't check out if the repository is private", repository(
                 github=SILENT), UNVERIFIED)],
    "GHA022": [
        Case(repository(change(("      contents: write\n", "      contents: read\n"))),
             '      - run: gh release create "$GITHUB_REF_NAME" --verify-tag', "announce makes a release and lacks",
             repository(change(("      contents: write\n", "      contents: read\n"),
                               ("github.token", "secrets.RELEASE_TOKEN")))),
        Case(repository(after("      contents: read\n    steps:\n",
                              "      - uses: softprops/action-gh-release@b4309332981a82ec1c5618f44dd2e27cc8bfbfda # v3\n")),
             "      - uses: softprops/action-gh-release@b4309332981a82ec1c5618f44dd2e27cc8bfbfda # v3", "build makes",
             repository())],
    "GHA023": [
        Case(repository(change(("    needs: testpypi\n    runs-on: ubuntu-latest",
                                "    needs: testpypi\n    runs-on: macos-latest"))), "    runs-on: macos-latest",
             "pypi runs on macos-latest",
             repository(change(("    needs: testpypi\n    runs-on: ubuntu-latest",
                                "    needs: testpypi\n    runs-on: [self-hosted, linux]")))),
        Case(repository(change(("    needs: testpypi\n    runs-on: ubuntu-latest",
                                "    needs: testpypi\n    strategy:\n      matrix:\n        os: [ubuntu-latest, windows-2025]\n"
                                "    runs-on: ${{ matrix.os }}"))), "    runs-on: ${{ matrix.os }}", "windows-2025",
             repository(change(("    needs: testpypi\n    runs-on: ubuntu-latest",
                                "    needs: testpypi\n    strategy:\n      matrix:\n        os: [ubuntu-latest, windows-2025]\n"
                                "    runs-on: ${{ matrix.os }}"),
                               (PUBLISH, PUBLISH + "        if: runner.os == 'Linux'\n"))))],
}

FILE_CASES: dict[str, list[Case]] = {
    "GHA030": [
        Case(repository(change(("          fetch-depth: 0\n", ""), (TAGS, "  push:\n"))),
             f"      - uses: actions/checkout@{PIN}", "without the tags",
             repository(change(("          fetch-depth: 0\n", ""), (TAGS, "  push:\n")), pyproject=STATIC)),
        Case(repository(change(("fetch-depth: 0", "fetch-depth: 1"))), f"      - uses: actions/checkout@{PIN}",
             "with the tag that started it and no other",
             repository(change(("          fetch-depth: 0\n", ""),
                               (BUILDING, "          git fetch --unshallow --tags\n" + BUILDING))), WARNING),
        Case(repository("on:\n  push:\n    tags: [\"v*\"]\n  schedule: [{cron: 1 2 3 4 5}]\njobs:\n  build:\n"
                        "    uses: group/demo-tool/.github/workflows/build.yml@main\n"
                        + GOOD[GOOD.index("\n  testpypi:"):],
                        others={BUILD: "on: workflow_call\njobs:\n" + change(("          fetch-depth: 0\n", ""))[
                            change(("          fetch-depth: 0\n", "")).index("  build:"):GOOD.index("\n  testpypi:") - 25]}),
             f"      - uses: actions/checkout@{PIN}", "without the tags", repository(), file=BUILD)],
    "GHA031": [
        Case(repository(change((PUBLISH, "      - run: python -m build\n" + PUBLISH))), "      - run: python -m build",
             "pypi builds what it uploads",
             repository(change((PUBLISH, "      - run: echo python -m build\n" + PUBLISH))), WARNING),
        Case(repository(change(("      - uses: pypa/gh", "      - run: uv build\n      - uses: pypa/gh"),
                               (PUBLISH, "      - run: uv build --wheel\n" + PUBLISH))), "      - run: uv build --wheel",
             "and testpypi builds it again", repository(), WARNING)],
    "GHA032": [
        Case(repository(change((f"          repository-url: {TESTPYPI}\n",
                                f"          repository-url: {TESTPYPI}\n      - name: Again\n{ACTION}"))),
             "      - name: Again\n" + ACTION, "testpypi uploads a second time",
             repository(change((f"          repository-url: {TESTPYPI}\n",
                                f"          repository-url: {TESTPYPI}\n          attestations: false\n"
                                f"      - name: Again\n{ACTION}")))),
        Case(repository(change((PUBLISH, f"      - name: First\n{WITH}          repository-url: {TESTPYPI}\n" + PUBLISH))),
             PUBLISH + ACTION, "pypi uploads a second time",
             repository(change((PUBLISH, f"      - name: First\n{WITH}          repository-url: {TESTPYPI}\n" + PUBLISH),
                               ("v1.14.2", "v1.10.3"))))],
    "GHA033": [
        Case(repository(change(("    needs: testpypi\n",
                                "    needs: testpypi\n    strategy:\n      matrix:\n        python: [\"3.12\", \"3.13\"]\n"))),
             "    strategy:", "once for each entry",
             repository(change(("    needs: testpypi\n", "    needs: testpypi\n    strategy:\n      matrix:\n"
                                                         "        part: [core, extra]\n"),
                               (ACTION, WITH + "          packages-dir: dist/${{ matrix.part }}\n"))), WARNING)],
    "GHA034": [
        Case(repository(change(("    needs: build\n", ""))),
             "      - uses: actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1",
             "testpypi downloads files and waits for no job", repository()),
        Case(repository(change(("          name: dist\n          path: dist/\n\n", "          path: dist/\n\n"))),
             "          name: dist", "keeps dist (kept: artifact)",
             repository(change(("          name: dist\n          path: dist/\n\n",
                                "          name: dist${{ matrix.x }}\n          path: dist/\n\n")))),
        Case(repository(change(("      - uses: actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0\n"
                                "        with:\n          name: dist\n          path: dist/\n",
                                "      - uses: hynek/build-and-inspect-python-package@2abe76da66d0a6a4a227101f9348ee855797cfa5"
                                " # v3.0.1\n"))),
             "          name: dist", "(kept: Packages)",
             repository(change(("      - uses: actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0\n",
                                "      - uses: lab/keep@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0\n"))))],
    "GHA035": [
        Case(repository(change(("          name: dist\n          path: dist/\n      - name", "          path: dist\n      - name"))),
             "      - uses: actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1",
             "folders below dist/",
             repository(change(("          name: dist\n          path: dist/\n      - name",
                                "          path: dist\n          merge-multiple: true\n      - name")))),
        Case(repository(change(("          name: dist\n          path: dist/\n      - name",
                                "          pattern: wheels-*\n          path: ./dist\n      - name"))),
             "      - uses: actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1",
             "folders below dist/",
             repository(change(("          name: dist\n          path: dist/\n      - name",
                                "          path: all\n      - run: mkdir dist && mv all/*/* dist\n      - name"))))],
    "GHA036": [
        Case(repository(change(("actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0",
                                "actions/upload-artifact@v3"))), "      - uses: actions/upload-artifact@v3",
             "actions/upload-artifact 3 is switched off",
             repository(change(("actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0",
                                "actions/upload-artifact@v4")))),
        Case(repository(change(("# v7.0.0", "# v3.1.3"))),
             "      - uses: actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v3.1.3", "3 is switched off",
             repository(change(("# v7.0.0", "# tag=v4.0.0"))))],
    "GHA037": [
        Case(repository(change(("dc37677b2e1c63e2034f94d8a5b11f265b73ba33 # v1.14.2", "v1.8.10"))),
             "        uses: pypa/gh-action-pypi-publish@v1.8.10", "version 1.8.10 can't read metadata 2.4",
             repository(change(("dc37677b2e1c63e2034f94d8a5b11f265b73ba33 # v1.14.2", "v1.12.3"))), WARNING),
        Case(repository(change(("dc37677b2e1c63e2034f94d8a5b11f265b73ba33 # v1.14.2", "v1.8.10")),
                        pyproject=PYPROJECT.replace('"setuptools>=77.0.3", "setuptools-scm>=8"', '"setuptools"')),
             "        uses: pypa/gh-action-pypi-publish@v1.8.10", "can't read metadata 2.4", repository()),
        Case(repository(change(("dc37677b2e1c63e2034f94d8a5b11f265b73ba33 # v1.14.2", "master"))),
             "        uses: pypa/gh-action-pypi-publish@master", "no longer maintained",
             repository(change(("dc37677b2e1c63e2034f94d8a5b11f265b73ba33 # v1.14.2", "release/v1"))))],
}

UPLOAD_CASES: dict[str, list[Case]] = {
    "GHA040": [
        Case(repository(change((PUBLISH + ACTION, PUBLISH + WITH + "          password: ${{ secrets.PYPI }}\n"))),
             "          password: ${{ secrets.PYPI }}", "pypi has an identity, and uploads by a token all the same",
             repository(change((PUBLISH + ACTION, PUBLISH + WITH + "          password: \"\"\n"))), WARNING),
        Case(repository(change((PYPI + "    steps", NAMED + "    steps"),
                               (PUBLISH + ACTION, PUBLISH + WITH + "          password: ${{ secrets.PYPI }}\n"
                                "          attestations: true\n"))),
             "          password: ${{ secrets.PYPI }}", "doesn't expire by itself; attestations: true is ignored",
             repository(), WARNING),
        Case(repository(change((PYPI, PYPI + "    env:\n      TWINE_PASSWORD: ${{ secrets.PYPI }}\n"), text=TWINE)),
             "      TWINE_PASSWORD: ${{ secrets.PYPI }}", "by a token all the same",
             repository(change((PYPI, PYPI + "    env:\n      TWINE_NON_INTERACTIVE: \"1\"\n"), text=TWINE)), WARNING),
        Case(repository(change(("            --attestations dist/*", "            -p \"$TOKEN\" dist/*"), text=TWINE)),
             "          twine upload --non-interactive \\", "by a token all the same", repository(TWINE), WARNING)],
    "GHA041": [
        Case(repository(change((PUBLISH + ACTION, PUBLISH + WITH + "          attestations: false\n"))),
             "          attestations: false", "doesn't sign",
             repository(change((TESTPYPI, f"{TESTPYPI}\n          attestations: false"))), WARNING)],
    "GHA042": [
        Case(repository(change((PUBLISH + ACTION, PUBLISH + WITH + "          skip-existing: true\n"))),
             "          skip-existing: true", "skip-existing: true at the upload of pypi",
             repository(change((TESTPYPI, f"{TESTPYPI}\n          skip-existing: true"))), WARNING),
        Case(repository(change((PUBLISH, PUBLISH + "        continue-on-error: true\n"))), "        continue-on-error: true",
             "continue-on-error", repository(change((PUBLISH, PUBLISH + "        continue-on-error: false\n"))), WARNING),
        Case(repository(change(("--attestations dist/*", "--skip-existing dist/* || true"), text=TWINE)),
             "          twine upload --non-interactive \\", "--skip-existing",
             repository(change(("--attestations dist/*", "--skip-existing dist/*"),
                               ("      - run: gh release", "      - run: handbook release verify --from pypi\n"
                                                           "      - run: gh release"), text=TWINE)), WARNING)],
    "GHA043": [
        Case(repository(change(("group: release-${{ github.ref }}", "group: release-${{ github.event.push.ref }}"),
                               ("in-progress: false", "in-progress: true"))), "  cancel-in-progress: true",
             "release-${{ github.event.push.ref }} cancels", repository(change(("in-progress: false", "in-progress: true"))),
             WARNING),
        Case(repository(change(("in-progress: false", "in-progress: true"), (TAGS, BY_HAND))), "  cancel-in-progress: true",
             "cancels the upload",
             repository(change(("in-progress: false", "in-progress: ${{ github.event_name == 'pull_request' }}"),
                               (TAGS, BY_HAND))), WARNING)],
    "GHA044": [
        Case(repository(change((f"actions/checkout@{PIN}", "actions/checkout@v7"))), "      - uses: actions/checkout@v7",
             "actions/checkout@v7 can be moved", repository(others={TEST: CREATOR.replace(PIN, "v7")}), WARNING),
        Case(repository(change((PUBLISH + ACTION, "      - uses: ./.github/actions/publish\n")),
                        composites={".github/actions/publish": COMPOSITE}),
             "    - uses: pypa/gh-action-pypi-publish@release/v1", "release/v1 can be moved", repository(
                 change((PUBLISH + ACTION, "      - uses: ./.github/actions/publish\n")),
                 composites={".github/actions/publish": COMPOSITE.replace(
                     "release/v1", "dc37677b2e1c63e2034f94d8a5b11f265b73ba33")}), WARNING,
             ".github/actions/publish/action.yml")],
}

CASES = {**IDENTITY_CASES, **TRIGGER_CASES, **PERMISSION_CASES, **FILE_CASES, **UPLOAD_CASES}
