"""The seeded defects and near misses of the rules on how files are built, passed on and uploaded."""

from __future__ import annotations

from labhandbook.github.zizmor import Audit, Weakness
from tooling.tests.github.sample_repository import (
    BUILD,
    GOOD,
    PIN,
    PYPROJECT,
    RELEASE,
    TESTPYPI,
    TWINE,
    UNVERIFIED,
    WARNING,
    Case,
    made,
    repo,
)
from tooling.tests.github.workflow_parts import (
    ACTION,
    BUILDER,
    BUILDING,
    BY_HAND,
    CALLING,
    CANCELS,
    DOWNLOAD,
    KEEPER,
    NAMED,
    PUBLISH,
    PYPI,
    TAGS,
    UPLOAD,
    WITH,
)
from tooling.tests.release.rule_cases import GOOD as STATIC

UPLOAD_LINE = GOOD[:GOOD.rindex(ACTION)].count("\n") + 1


def weakness(job: str, line: int = UPLOAD_LINE) -> Weakness:
    """An action by tag, as zizmor reports it."""
    return Weakness("unpinned-uses", "unpinned action reference", "https://example.org", RELEASE, line, job)


def audit(*found: Weakness) -> Audit:
    """What zizmor found."""
    return Audit(found=found)


FILE_CASES: dict[str, list[Case]] = {
    "GHA030": [
        Case(made(("          fetch-depth: 0\n", ""), (TAGS, "  push:\n")), f"      - uses: actions/checkout@{PIN}",
             "without the tags", made(("          fetch-depth: 0\n", ""), (TAGS, "  push:\n"), pyproject=STATIC)),
        Case(made(("fetch-depth: 0", "fetch-depth: 1"), (TAGS, "  push:\n")),
             f"      - uses: actions/checkout@{PIN}", "without the tags",
             made(("          fetch-depth: 0\n", ""), (TAGS, "  push:\n"),
                  (BUILDING, "          git fetch --unshallow --tags\n" + BUILDING))),
        Case(repo(CALLING, others={BUILD: BUILDER}), f"      - uses: actions/checkout@{PIN}", "without the tags",
             repo(), file=BUILD)],
    "GHA031": [
        Case(made((PUBLISH, "      - run: python -m build\n" + PUBLISH)), "      - run: python -m build",
             "pypi builds what it uploads", made((PUBLISH, "      - run: echo python -m build\n" + PUBLISH)),
             WARNING),
        Case(made(("      - uses: pypa/gh", "      - run: uv build\n      - uses: pypa/gh"),
                  (PUBLISH, "      - run: uv build --wheel\n" + PUBLISH)), "      - run: uv build --wheel",
             "and testpypi builds it again", repo(), WARNING)],
    "GHA032": [
        Case(made((f"          repository-url: {TESTPYPI}\n",
                   f"          repository-url: {TESTPYPI}\n      - name: Again\n{ACTION}")),
             "      - name: Again\n" + ACTION, "testpypi uploads a second time",
             made((f"          repository-url: {TESTPYPI}\n",
                   f"          repository-url: {TESTPYPI}\n          attestations: false\n"
                   f"      - name: Again\n{ACTION}"))),
        Case(made((PUBLISH, f"      - name: First\n{WITH}          repository-url: {TESTPYPI}\n" + PUBLISH)),
             PUBLISH + ACTION, "pypi uploads a second time",
             made((PUBLISH, f"      - name: First\n{WITH}          repository-url: {TESTPYPI}\n" + PUBLISH),
                  ("v1.14.2", "v1.10.3")))],
    "GHA033": [
        Case(made(("    needs: testpypi\n",
                   "    needs: testpypi\n    strategy:\n      matrix:\n        python: [\"3.12\", \"3.13\"]\n")),
             "    strategy:", "once for each entry",
             made(("    needs: testpypi\n",
                   "    needs: testpypi\n    strategy:\n      matrix:\n" "        part: [core, extra]\n"),
                  (ACTION, WITH + "          packages-dir: dist/${{ matrix.part }}\n")), WARNING)],
    "GHA034": [
        Case(made(("    needs: build\n", "")), DOWNLOAD, "testpypi downloads files and waits for no job", repo()),
        Case(made(("          name: dist\n          path: dist/\n\n", "          path: dist/\n\n")),
             "          name: dist", "keeps dist (kept: artifact)",
             made(("          name: dist\n          path: dist/\n\n",
                   "          name: dist${{ matrix.x }}\n          path: dist/\n\n"))),
        Case(made((UPLOAD + "        with:\n          name: dist\n          path: dist/\n", KEEPER)),
             "          name: dist", "(kept: Packages)",
             made((UPLOAD, "      - uses: lab/keep@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0\n")))],
    "GHA036": [
        Case(made(("actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0",
                   "actions/upload-artifact@v3")), "      - uses: actions/upload-artifact@v3",
             "switched off actions/upload-artifact 3",
             made(("actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0",
                   "actions/upload-artifact@v4"))),
        Case(made(("# v7.0.0", "# v3.1.3")),
             "      - uses: actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v3.1.3",
             "switched off actions/upload-artifact 3", made(("# v7.0.0", "# tag=v4.0.0")))],
    "GHA037": [
        Case(made(("dc37677b2e1c63e2034f94d8a5b11f265b73ba33 # v1.14.2", "v1.8.10")),
             "        uses: pypa/gh-action-pypi-publish@v1.8.10", "version 1.8.10 can't read metadata 2.4",
             made(("dc37677b2e1c63e2034f94d8a5b11f265b73ba33 # v1.14.2", "v1.12.3"))),
        Case(made(("dc37677b2e1c63e2034f94d8a5b11f265b73ba33 # v1.14.2", "v1.8.10"),
                  pyproject=PYPROJECT.replace('"setuptools>=77.0.3"', '"setuptools>=77.0.3,<78"')),
             "        uses: pypa/gh-action-pypi-publish@v1.8.10", "can't read metadata 2.4", repo(), WARNING),
        Case(made(("dc37677b2e1c63e2034f94d8a5b11f265b73ba33 # v1.14.2", "v1.14.0"),
                  pyproject=PYPROJECT.replace('"setuptools>=77.0.3"', '"hatchling"')),
             "        uses: pypa/gh-action-pypi-publish@v1.14.0", "version 1.14.0 can't read metadata 2.5",
             made(("dc37677b2e1c63e2034f94d8a5b11f265b73ba33 # v1.14.2", "v1.14.0"),
                  pyproject=PYPROJECT.replace('"setuptools>=77.0.3"', '"hatchling<1.32"'))),
        Case(made(("dc37677b2e1c63e2034f94d8a5b11f265b73ba33 # v1.14.2", "master")),
             "        uses: pypa/gh-action-pypi-publish@master", "no longer maintained",
             made(("dc37677b2e1c63e2034f94d8a5b11f265b73ba33 # v1.14.2", "release/v1")))],
}

UPLOAD_CASES: dict[str, list[Case]] = {
    "GHA040": [
        Case(made((PUBLISH + ACTION, PUBLISH + WITH + "          password: ${{ secrets.PYPI }}\n")),
             "          password: ${{ secrets.PYPI }}", "pypi may ask for an identity and uploads with a token",
             made((PUBLISH + ACTION, PUBLISH + WITH + "          password: \"\"\n")), WARNING),
        Case(made((PUBLISH + ACTION,
                   PUBLISH + WITH + "          password: ${{ secrets.PYPI }}\n" "          attestations: true\n")),
             "          password: ${{ secrets.PYPI }}", "with a token; attestations: true is ignored",
             made((PYPI + "    steps", NAMED + "    steps"),
                  (PUBLISH + ACTION, PUBLISH + WITH + "          password: ${{ secrets.PYPI }}\n")), WARNING),
        Case(made((PYPI, PYPI + "    env:\n      TWINE_PASSWORD: ${{ secrets.PYPI }}\n"), text=TWINE),
             "      TWINE_PASSWORD: ${{ secrets.PYPI }}", "uploads with a token",
             made((PYPI, PYPI + "    env:\n      TWINE_NON_INTERACTIVE: \"1\"\n"), text=TWINE), WARNING),
        Case(made(("            --attestations dist/*", "            -p \"$TOKEN\" dist/*"), text=TWINE),
             "          twine upload --non-interactive \\", "uploads with a token", repo(TWINE), WARNING)],
    "GHA041": [
        Case(made((PUBLISH + ACTION, PUBLISH + WITH + "          attestations: false\n")),
             "          attestations: false", "does not sign",
             made((TESTPYPI, f"{TESTPYPI}\n          attestations: false")), WARNING)],
    "GHA042": [
        Case(made((PUBLISH + ACTION, PUBLISH + WITH + "          skip-existing: true\n")),
             "          skip-existing: true", "skip-existing: true at the upload of pypi",
             made((TESTPYPI, f"{TESTPYPI}\n          skip-existing: true")), WARNING),
        Case(made((PUBLISH, PUBLISH + "        continue-on-error: true\n")), "        continue-on-error: true",
             "continue-on-error", made((PUBLISH, PUBLISH + "        continue-on-error: false\n")), WARNING),
        Case(made(("--attestations dist/*", "--skip-existing dist/* || true"), text=TWINE),
             "          twine upload --non-interactive \\", "--skip-existing",
             made(("--attestations dist/*", "--skip-existing dist/*"),
                  ("      - run: gh release",
                   "      - run: handbook release verify --from pypi\n" "      - run: gh release"), text=TWINE),
             WARNING)],
    "GHA043": [
        Case(made(("group: release-${{ github.ref }}", "group: release-${{ github.event.push.ref }}"), CANCELS),
             "  cancel-in-progress: true", "release-${{ github.event.push.ref }} cancels", made(CANCELS), WARNING),
        Case(made(CANCELS, (TAGS, BY_HAND)), "  cancel-in-progress: true", "cancels the upload",
             made(("in-progress: false", "in-progress: ${{ github.event_name == 'pull_request' }}"),
                  (TAGS, BY_HAND)), WARNING)],
    "GHA050": [
        Case(repo(audit=audit(weakness("pypi"), weakness("pypi", line=70))), ACTION,
             "zizmor unpinned-uses: unpinned action reference (2 places)",
             repo(audit=audit(weakness("elsewhere"))), WARNING),
        Case(repo(audit=audit(weakness(""))), ACTION, "unpinned", repo(), WARNING),
        Case(repo(audit=Audit("zizmor is not installed")), "",
             "zizmor did not check the publishing workflows: zizmor is not installed", repo(), UNVERIFIED,
             ".github/workflows")],
}
