"""Archives, YAML and job scripts with random damage: each ends in an answer or a HandbookError."""

from __future__ import annotations

import io
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from labhandbook.book.load import load_book
from labhandbook.core.errors import HandbookError
from labhandbook.core.untrusted_data import Unreadable
from labhandbook.github.workflow_model import read_workflow
from labhandbook.hpc import check_job
from labhandbook.hpc.clusters import load
from labhandbook.package import distribution
from labhandbook.recipe import recipe_lint, recipe_reader
from labhandbook.release.upload_gate import gate

SEED = 20261128
# How often each reader is tried: in every run, and where somebody takes the time.
ROUNDS = [pytest.param(150), pytest.param(10_000, marks=pytest.mark.slow)]
PIECES = [b"", b"\0", b"\xff\xfe", b"[" * 300, b"{a: " * 80, b"&a [*a]", b"*a", b"!!python/object:os.system x", b"- ",
          b": ", b"\n", b"\t", b"9" * 500, b"-1", b"1e999", b"${{ 'a' * 99999999 }}", b"{{", b"%}", b"../../x",
          b"\x1b[2J", b"#SBATCH --array=0-99999999\n", b"#SBATCH --mem=" + b"9" * 400 + b"\n", "²".encode(),
          b"null", b"\r"]


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The data with one to four changes: bytes flipped, cut out, repeated, or replaced by something awkward."""
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.choice([1, 4, 30, 200]))
        piece = chance.choice([chance.choice(PIECES), data[start:end] * 2, chance.randbytes(4)])
        data = data[:start] + piece + data[end:]
    return data


def every(data: bytes, rounds: int, use: Callable[[bytes], object]) -> None:
    """Damage data again and again, the same way in each run, and use it."""
    chance = random.Random(SEED)
    for _ in range(rounds):
        given = damaged(data, chance)
        try:
            use(given)
        except (HandbookError, Unreadable):
            continue
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error} for {given[:2000]!r}") from error


def wheel() -> bytes:
    """A small wheel."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {
                "demo/__init__.py": "__version__ = '1.0'\n",
                "demo-1.0.dist-info/METADATA": "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n\nText\n",
                "demo-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n",
                "demo-1.0.dist-info/entry_points.txt": "[console_scripts]\ndemo = demo:main\n",
                "demo-1.0.dist-info/RECORD": "demo/__init__.py,,\n"}.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return held.getvalue()


def sdist() -> bytes:
    """A small sdist. It is not compressed, so that damage reaches its records."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        metadata = "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n"
        for name, text in {"PKG-INFO": metadata, "demo.py": "x = 1\n"}.items():
            entry = tarfile.TarInfo(f"demo-1.0/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return held.getvalue()


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize(("name", "data"), [("demo-1.0-py3-none-any.whl", wheel()), ("demo-1.0.tar.gz", sdist())],
                         ids=["wheel", "sdist"])
def test_archives(name: str, data: bytes, rounds: int, tmp_path: Path) -> None:
    def use(given: bytes) -> None:
        path = tmp_path / name
        path.write_bytes(given)
        distribution.read(path)
        gate([path])

    every(data, rounds, use)


RECIPE = b"""context:
  version: "1.0"
package: {name: demo, version: "${{ version }}"}
source:
  url: https://example.org/demo-${{ version }}.tar.gz
  sha256: 0000000000000000000000000000000000000000000000000000000000000000
build: {noarch: python, script: pip install . --no-deps}
requirements:
  host: [python, pip]
  run:
    - if: win
      then: colorama
tests:
  - python: {imports: [demo]}
about: {license: MIT, license_file: LICENSE, summary: "A demo"}
extra: {recipe-maintainers: [a]}
"""
OLD_RECIPE = b"""{% set version = "1.0" %}
package: {name: demo, version: "{{ version }}"}
source: {url: "https://example.org/demo-{{ version }}.tar.gz", sha256: "00"}
build: {noarch: python, script: python -m pip install . --no-deps}  # [unix]
requirements:
  host: [python, pip]
  run: [python, colorama]  # [win]
test: {imports: [demo]}
about: {license: MIT, license_file: LICENSE, summary: "A demo"}
"""
WORKFLOW = b"""on: {push: {tags: ["v*"]}}
permissions: {}
jobs:
  build:
    runs-on: ubuntu-latest
    strategy: {matrix: {python: ["3.11", 3.12]}}
    steps:
      - uses: actions/checkout@v4
        with: {fetch-depth: 0}
      - run: python -m build && twine upload dist/*
        env: {TWINE_PASSWORD: "${{ secrets.TOKEN }}"}
"""
CONFIG = b"""project: {type: book, output-dir: _book}
book:
  title: "A"
  chapters: [index.qmd, {part: "B", chapters: [a.qmd]}]
format: {html: {css: [], toc-depth: 3}}
bibliography: references.bib
"""
SCRIPT = b"""#!/bin/bash
#SBATCH --account=project_1 --partition=small-g
#SBATCH --nodes=1 --ntasks-per-node=8 --gpus-per-node=8
#SBATCH --time=1-02:00:00
#SBATCH --array=0-10:2%3
#SBATCH --output=logs/%A_%a.out
module load LUMI
srun --cpu-bind=mask_cpu:fe,fe00 bash -c 'echo $SLURM_PROCID'
cat <<END
text
END
"""


@pytest.mark.parametrize("rounds", ROUNDS)
def test_old_recipes(rounds: int, tmp_path: Path) -> None:
    path = tmp_path / "meta.yaml"

    def use(given: bytes) -> None:
        path.write_bytes(given)
        recipe_lint.judge(recipe_reader.read(path, "meta.yaml"))

    every(OLD_RECIPE, rounds, use)


@pytest.mark.parametrize("rounds", [pytest.param(30), pytest.param(2_000, marks=pytest.mark.slow)])
def test_recipes(rounds: int, tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"

    def use(given: bytes) -> None:
        path.write_bytes(given)
        recipe_lint.judge(recipe_reader.read(path, "recipe.yaml"))

    every(RECIPE, rounds, use)


@pytest.mark.parametrize("rounds", ROUNDS)
def test_workflows(rounds: int) -> None:
    every(WORKFLOW, rounds, lambda given: read_workflow("a.yml", given.decode("utf-8", "replace")))


@pytest.mark.parametrize("rounds", ROUNDS)
def test_settings_of_books(rounds: int, tmp_path: Path) -> None:
    for name in ("index.qmd", "a.qmd"):
        (tmp_path / name).write_text("# A\n")

    def use(given: bytes) -> object:
        (tmp_path / "_quarto.yml").write_bytes(given)
        book = load_book(tmp_path)
        return book.title, book.pages, book.output, book.bibliography

    every(CONFIG, rounds, use)


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("cluster", ["lumi", "roihu", "turso"])
def test_job_scripts(cluster: str, rounds: int, tmp_path: Path) -> None:
    known = load().get(cluster)

    def use(given: bytes) -> None:
        (tmp_path / "job.sh").write_bytes(given)
        check_job.check(tmp_path / "job.sh", known, tmp_path)

    every(SCRIPT, rounds, use)
