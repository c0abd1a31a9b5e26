"""For every rule of the doctor a repository with the error that users met, and one that just misses it.

Here are those on who publishes, what starts it and what jobs may do; those on the files are in doctor_file_cases.
"""

from __future__ import annotations

from dataclasses import replace

from labhandbook.github.repository import Answer, Earlier, Environment
from tooling.tests.github.doctor_file_cases import FILE_CASES, UPLOAD_CASES
from tooling.tests.github.sample_repository import (
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
    made,
    repo,
)
from tooling.tests.github.workflow_parts import (
    ACTION,
    BY_HAND,
    CALLED,
    CALLER,
    CREATOR,
    EARLIER,
    IDENTITY,
    NAMED,
    NEEDS,
    NEXT,
    ON_MATRIX,
    ON_UBUNTU,
    PUBLISH,
    PYPI,
    RELEASED,
    RELEASER,
    TAGGER,
    TAGS,
    WITH,
    environments,
)
from tooling.tests.release.rule_cases import SCM

IDENTITY_CASES: dict[str, list[Case]] = {
    "GHA001": [
        Case(repo(others={TEST: "on: push\njobs:\n  a: b: c\n"}), "  a: b: c", "mapping values",
             repo(others={TEST: "on: push\njobs:\n  a: {}\n"}), file=TEST),
        Case(repo(others={TEST: "name: test\non: push\n"}), "name: test", "no `jobs:`",
             repo(others={TEST: "on: [push]\njobs: {}\n"}), file=TEST),
        Case(repo(others={TEST: "on: push\njobs:\n  tags: [**]\n"}), "  tags: [**]", "is not valid YAML",
             repo(others={TEST: 'on: push\njobs:\n  tags: ["**"]\n'}), file=TEST)],
    "GHA002": [
        Case(repo("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make publish\n"), "",
             "no workflow", repo(), UNVERIFIED, ".github/workflows"),
        Case(repo(others={TEST: "on: push\njobs:\n  a:\n    permissions: {id-token: write}\n"
                          "    uses: lab/tools/.github/workflows/publish.yml@v1\n"}),
             "    uses: lab/tools/.github/workflows/publish.yml@v1", "which can't be read from here",
             repo(others={TEST: "on: push\njobs:\n  a:\n    permissions: {contents: read}\n"
                          "    uses: lab/tools/.github/workflows/test.yml@v1\n"}), UNVERIFIED, TEST)],
    "GHA003": [
        Case(repo(pyproject=PYPROJECT.replace('"release.yml"', '"publish.yml"')), 'workflow = "publish.yml"',
             "publish.yml is registered, and release.yml publishes", repo(), file="pyproject.toml"),
        Case(repo(slug="other/demo-tool"), 'workflow = "release.yml"',
             "group/demo-tool is registered, and the remote is other/demo-tool", repo(slug="Group/Demo-Tool"),
             file="pyproject.toml"),
        Case(repo(others={BUILD: GOOD}), ACTION, "build.yml publishes too",
             repo(others={BUILD: change((TAGS, "  workflow_dispatch:\n" ), (IDENTITY, "" ), (ACTION, WITH +
                          "          password: x\n" ), (TESTPYPI, f"{TESTPYPI}\n          password: y" ))}),
             file=BUILD),
        Case(repo(pyproject=SCM, earlier=Earlier("v1.1.0", frozenset({("publish.yml", "pypi")}))), ACTION,
             "at v1.1.0 it was publish.yml", repo(earlier=EARLIER), WARNING),
        Case(repo(pyproject=SCM), ACTION,
             "is registered on PyPI and TestPyPI; the forms must say owner group, repository demo-tool, "
             "workflow release.yml, environment testpypi on TestPyPI and workflow release.yml, environment pypi on "
             "PyPI", repo(), UNVERIFIED)],
    "GHA004": [
        Case(made(("name: pypi\n", "name: release\n")), "      name: release",
             "pypi is registered on PyPI, and pypi runs in release", made(("name: pypi\n", "name: PyPI\n"))),
        Case(made((NAMED, "")), "  pypi:", "runs in no environment", made((NAMED, "    environment: pypi\n"))),
        Case(made(("environment: testpypi", "environment: ${{ vars.WHERE }}")), "    environment: ${{ vars.WHERE }}",
             "only a run decides", repo(pyproject=PYPROJECT.replace('testpypi = "testpypi", ', "")), UNVERIFIED),
        Case(made(("name: pypi\n", "name: release\n"), pyproject=SCM, earlier=EARLIER), "      name: release",
             "at v1.1.0 it was pypi and testpypi", repo(earlier=EARLIER), WARNING)],
    "GHA005": [
        Case(made((NAMED, "")), "  pypi:", "without an environment", made(("    environment: testpypi\n", "")),
             WARNING)],
    "GHA006": [
        Case(repo(github=Answer()), "      name: pypi", "does not exist yet", repo(), WARNING),
        Case(repo(github=environments(pypi=Environment("pypi"))), "      name: pypi", "requires no approval",
             repo(github=environments(pypi=Environment("PyPI", asks=True))), WARNING),
        Case(repo(github=SILENT), "      name: pypi", "GitHub can't be reached",
             made((NAMED, "    environment: ${{ vars.WHERE }}\n"), github=SILENT), UNVERIFIED)],
    "GHA007": [
        Case(repo(github=environments(pypi=Environment("pypi", True, (("main", "branch"),)))), "      name: pypi",
             "admits branch main, and not the tag v1.1.0",
             repo(github=environments(pypi=Environment("pypi", True, (("v*", "tag"),))))),
        Case(repo(github=environments(testpypi=Environment("testpypi", False, ()))), "    environment: testpypi",
             "admits protected branches",
             made((TAGS, "  workflow_dispatch:\n"), github=environments(pypi=Environment("pypi", True, ()))))],
    "GHA008": [
        Case(repo(CALLED, others={TEST: CALLER}), ACTION, "test.yml calls release.yml to upload",
             repo(GOOD, others={TEST: CALLER.replace("release.yml", "other.yml")})),
        Case(repo(CALLED), ACTION, "can only be called", made((TAGS, BY_HAND + "  workflow_call:\n"))),
        Case(made((TAGS, "  workflow_call:\n"), (ACTION, WITH + "          attestations: false\n"),
                  (TESTPYPI, f"{TESTPYPI}\n          attestations: false"), others={TEST: CALLER}), ACTION,
             "to upload", repo(), WARNING)],
}

TRIGGER_CASES: dict[str, list[Case]] = {
    "GHA010": [
        Case(repo(tags=("1.1.0",)), '    tags: ["v*"]', "no pattern admits the tag 1.1.0 (the newest)",
             made(('["v*"]', '["[0-9]+.[0-9]+.[0-9]+", "!*rc*"]'), tags=("1.1.0",))),
        Case(made(('["v*"]', '["v1.20[2-9].[0-9]*"]')), '    tags: ["v1.20[2-9].[0-9]*"]', "no pattern",
             made(('["v*"]', '["v[12].*"]'))),
        Case(made(('    tags: ["v*"]', '    tags-ignore: ["v1*"]')), '    tags-ignore: ["v1*"]', "no pattern",
             made(('    tags: ["v*"]', '    tags-ignore: ["*rc*"]'))),
        Case(repo(after("  pypi:\n", "    if: startsWith(github.ref, 'refs/tags/release-')\n",
                        change((TESTPYPI, "https://example.org")))),
             "    if: startsWith(github.ref, 'refs/tags/release-')", "pypi never runs on the tag v1.1.0",
             repo(after("  pypi:\n",
                        "    if: startsWith(github.ref, 'refs/tags/v') && "
                        "github.repository == 'somebody/else'\n")))],
    "GHA011": [
        Case(made((TAGS, "  release:\n    types: [created]\n")), "  release:", "saved as a draft first never starts",
             repo(RELEASED), WARNING),
        Case(made((TAGS, "  release:\n")), "  release:", "3 times: created, published, released",
             made((TAGS, "  release:\n    types: published\n"))),
        Case(made((TAGS, "  release:\n    types: [created, published]\n")), "  release:", "2 times",
             made((TAGS, "  release:\n    types: [created, published]\n"),
                  (NEEDS, NEEDS + "    if: github.event.action == 'published'\n")))],
    "GHA012": [
        Case(repo(RELEASED, others={TEST: CREATOR}),
             '      - run: gh release create "v$(cat VERSION)" --generate-notes', "makes the release",
             repo(RELEASED, others={TEST: CREATOR.replace("secrets.GITHUB_TOKEN", "secrets.RELEASE_TOKEN")}),
             file=TEST),
        Case(repo(RELEASED, others={TEST: CREATOR}),
             '      - run: gh release create "v$(cat VERSION)" --generate-notes', "makes the release",
             repo(RELEASED, others={TEST: CREATOR.replace("create", "create --draft")}), file=TEST),
        Case(repo(RELEASED, others={TEST: CREATOR}),
             '      - run: gh release create "v$(cat VERSION)" --generate-notes', "makes the release",
             repo(GOOD, others={TEST: CREATOR.replace("--generate", "--verify-tag --generate")}), file=TEST),
        Case(repo(others={TEST: TAGGER}), "          git push --tags", "makes the tag",
             repo(others={TEST: TAGGER.replace( "      - run: |" ,
                          "        with: {token: \"${{ secrets.BOT }}\"}\n" "      - run: |" )}), file=TEST),
        Case(repo(RELEASED,
                  others={TEST: change( (
                          "      - run: gh release create \"v$(cat VERSION)\" --generate-notes\n        env:\n"
                          "          GH_TOKEN: ${{ secrets.GITHUB_TOKEN }}\n" ,
                          "      - uses: googleapis/release-please-action@v4\n" ), text=CREATOR)}),
             "      - uses: googleapis/release-please-action@v4", "makes the release",
             repo(RELEASED, others={TEST: CREATOR + "      - run: gh workflow run release.yml\n"}), file=TEST)],
    "GHA013": [
        Case(made((TAGS, TAGS + "  pull_request:\n")), ACTION, "pypi uploads on pull_request",
             made((TAGS, TAGS + "  pull_request:\n"), (NEEDS, NEEDS + "    if: github.event_name == 'push'\n"))),
        Case(made((TAGS, TAGS + "  pull_request_target:\n")), ACTION, "uploads on pull_request_target",
             made((TAGS, TAGS + "  pull_request:\n"),
                  (NEEDS, NEEDS + "    if: startsWith(github.ref, 'refs/tags/')\n"))),
        Case(made((TAGS, TAGS + "  pull_request:\n")), ACTION, "pypi uploads on pull_request",
             made((TAGS, TAGS + "  pull_request:\n"),
                  (NEEDS, NEEDS + "    if: needs.build.outputs.target != ''\n")))],
    "GHA014": [
        Case(made((TAGS, "  push:\n    branches: [main]\n    tags: [\"v*\"]\n")), ACTION, "on every push to a branch",
             made((TAGS, "  push:\n    branches: [main]\n    tags: [\"v*\"]\n"),
                  (NEXT, NEXT + "    if: github.ref_type == 'tag'\n")), WARNING),
        Case(made((TAGS, "  push:\n")), ACTION, "on every push to a branch",
             made((TAGS, "  push:\n"), (PUBLISH, PUBLISH + "        if: startsWith(github.ref, 'refs/tags')\n")),
             WARNING)],
    "GHA015": [
        Case(made(('["v*"]', '["*"]'), (NAMED, "")), "  push:", "any tag makes pypi upload",
             made(('["v*"]', '["*"]')), WARNING),
        Case(made((TAGS, "  push:\n"), (NAMED, "    if: startsWith(github.ref, 'refs/tags')\n")), "  push:",
             "any tag", made((TAGS, "  push:\n"), (NAMED, "    if: startsWith(github.ref, 'refs/tags/v')\n")),
             WARNING)],
    "GHA016": [
        Case(repo(loose=frozenset({RELEASE})), "", "release.yml is not in git", repo(loose=frozenset({TEST}))),
        Case(repo(changed=frozenset({RELEASE})), "", "differs from the last commit", repo(changed=frozenset({TEST})),
             WARNING)],
}

PERMISSION_CASES: dict[str, list[Case]] = {
    "GHA020": [
        Case(made((PYPI, NAMED)), "  pypi:", "pypi lacks id-token: write",
             made((PYPI, NAMED), ("permissions: {}", "permissions:\n  id-token: write"))),
        Case(made((PYPI, NAMED + "    permissions:\n      contents: read\n"),
                  ("permissions: {}", "permissions:\n  id-token: write")), "    permissions:",
             "pypi lacks id-token: write", made((PYPI, NAMED + "    permissions: write-all\n"))),
        Case(made((PYPI, NAMED), text=TWINE), "  pypi:", "lacks id-token",
             made((PYPI, NAMED + "    env:\n      TWINE_PASSWORD: ${{ secrets.TOKEN }}\n"), text=TWINE)),
        Case(repo(CALLED, others={TEST: CALLER.replace("      id-token: write\n", "")}), "    permissions:",
             "release calls release.yml without granting", repo(CALLED, others={TEST: CALLER}), file=TEST)],
    "GHA021": [
        Case(made(("    permissions:\n      contents: read\n", ""), github=replace(GITHUB, private=True)),
             f"      - uses: actions/checkout@{PIN}", "build can't check out a private repository",
             repo( change(("    permissions:\n      contents: read\n", ""))))],
    "GHA022": [
        Case(made(("      contents: write\n", "      contents: read\n")),
             '      - run: gh release create "$GITHUB_REF_NAME" --verify-tag', "announce makes a release and lacks",
             made(("      contents: write\n", "      contents: read\n"), ("github.token", "secrets.RELEASE_TOKEN"))),
        Case(repo(after("      contents: read\n    steps:\n", f"      - uses: {RELEASER}\n")),
             f"      - uses: {RELEASER}", "build makes", repo())],
    "GHA023": [
        Case(made((ON_UBUNTU, "    needs: testpypi\n    runs-on: macos-latest")), "    runs-on: macos-latest",
             "pypi runs on macos-latest",
             made((ON_UBUNTU, "    needs: testpypi\n    runs-on: [self-hosted, linux]"))),
        Case(made((ON_UBUNTU, NEXT + ON_MATRIX)), "    runs-on: ${{ matrix.os }}", "windows-2025",
             made((ON_UBUNTU, NEXT + ON_MATRIX), (PUBLISH, PUBLISH + "        if: runner.os == 'Linux'\n")))],
}

CASES = {**IDENTITY_CASES, **TRIGGER_CASES, **PERMISSION_CASES, **FILE_CASES, **UPLOAD_CASES}
