"""Pieces of workflows that the seeded defects are made of."""

from __future__ import annotations

from dataclasses import replace

from labhandbook.github.repository import Answer, Earlier, Environment
from tooling.tests.github.sample_repository import GITHUB, GOOD, PIN, change

TAGS = '  push:\n    tags: ["v*"]\n'
PUBLISH = "      - name: Publish\n"
ACTION = "        uses: pypa/gh-action-pypi-publish@dc37677b2e1c63e2034f94d8a5b11f265b73ba33 # v1.14.2\n"
WITH = ACTION + "        with:\n"
NAMED = "    environment:\n      name: pypi\n      url: https://example.org/demo-tool\n"
IDENTITY = "    permissions:\n      id-token: write\n"
ON_UBUNTU = "    needs: testpypi\n    runs-on: ubuntu-latest"
PYPI = NAMED + IDENTITY
NEEDS, NEXT = "    needs: build\n", "    needs: testpypi\n"
ON_MATRIX = ("    strategy:\n      matrix:\n        os: [ubuntu-latest, windows-2025]\n"
             "    runs-on: ${{ matrix.os }}")
UPLOAD = "      - uses: actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0\n"
DOWNLOAD = "      - uses: actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1"
INTO_DIST = "          name: dist\n          path: dist/\n      - name"
RELEASER = "softprops/action-gh-release@b4309332981a82ec1c5618f44dd2e27cc8bfbfda # v3"
KEEPER = "      - uses: hynek/build-and-inspect-python-package@2abe76da66d0a6a4a227101f9348ee855797cfa5 # v3.0.1\n"
CANCELS = ("in-progress: false", "in-progress: true")
SHALLOW = change(("          fetch-depth: 0\n", ""))
# The same in two workflows, of which the scheduled one calls the other.
BUILDER = "on: workflow_call\njobs:\n" + SHALLOW[SHALLOW.index("  build:"):SHALLOW.index("\n  testpypi:")]
CALLING = ("on:\n  push:\n    tags: [\"v*\"]\n  schedule: [{cron: 1 2 3 4 5}]\njobs:\n  build:\n"
           "    uses: group/demo-tool/.github/workflows/build.yml@main\n" + GOOD[GOOD.index("\n  testpypi:"):])
BUILDING = '          python -m pip install build\n          python -m build\n'
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
CREATOR = change(("PIN", PIN), text="""\
on:
  push:
    branches: [main]
permissions:
  contents: write
jobs:
  bump:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@PIN
      - run: gh release create "v$(cat VERSION)" --generate-notes
        env:
          GH_TOKEN: ${{ secrets.GITHUB_TOKEN }}
""")
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
