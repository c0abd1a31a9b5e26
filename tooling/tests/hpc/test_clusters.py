"""`clusters.yml`: what it must say, where it is found, and how a mistake in it is reported."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.hpc import clusters
from labhandbook.hpc.clusters import load, parse
from tooling.tests.conftest import LACKS, ROOT

FILE = ROOT / clusters.FILE
GOOD = """\
tower:
  name: "Tower"
  status: "in use"
  gpu: {unit: "GPU", option: "gres=gpu:x1", type: "x1", tool: "top", gpus-per-node: 4, cores-per-node: 64,
        memory-gib: 256}
  partitions:
    main:
      kind: "gpu"
      exclusive: "no"
      time-limit: "2 days"
      max-hours: 48
      max-nodes: 2
"""


def test_the_books_file_is_valid() -> None:
    known = load(FILE).known
    assert list(known) == ["lumi", "roihu", "turso", "mahti", "puhti"]
    assert known["lumi"].partitions["standard-g"].exclusive and known["lumi"].partitions["standard-g"].nodes.gpus == 8
    assert known["roihu"].partitions["small"].node_gib == 1500 and known["roihu"].partitions["medium"].node_gib == 744
    assert known["puhti"].retired and known["mahti"].replaced_by == "Roihu"
    for cluster in (known["lumi"], known["roihu"]):
        assert cluster.billing and cluster.areas and cluster.missing and cluster.gpus and cluster.gpus.cores_each


def test_words_and_numbers_of_a_time_limit_agree() -> None:
    hours = {"minutes": 1 / 60, "hours": 1.0, "day": 24.0, "days": 24.0}
    for cluster in load(FILE).known.values():
        for partition in cluster.partitions.values():
            if partition.hours:
                number, unit = partition.limit.split()
                assert float(number) * hours[unit] == pytest.approx(partition.hours), partition


@pytest.mark.parametrize(("old", "new", "line", "says"), [
    ("kind: \"gpu\"", "kind: \"gpuu\"", 8, "did you mean gpu?"),
    ("max-hours: 48", "max-hours: many", 11, 'is "many"'),
    ("max-nodes: 2", "max-nodes: 1.5", 12, "is 1.5"),
    ("max-nodes: 2", "max-ndoes: 2", 12, "did you mean max-nodes?"),
    ("      time-limit: \"2 days\"\n", "", 8, "lacks time-limit"),
    ("status: \"in use\"", "status: \"used\"", 3, "one of: in use, retired"),
    ("exclusive: \"no\"", "exclusive: [no]", 9, "is not a single value"),
    ("    main:\n", "    main: 3\n    other:\n", 7, "holds no names"),
    ("max-nodes: 2", "max-nodes: 2\n      max-nodes: 3", 13, "is there twice"),
    ("tower:", "tower: [", 3, "is not valid YAML"),
])
def test_a_mistake_is_reported_with_its_line(old: str, new: str, line: int, says: str) -> None:
    assert old in GOOD
    with pytest.raises(HandbookError) as caught:
        parse(GOOD.replace(old, new, 1), "chapters/hpc/clusters.yml")
    said = f"{caught.value.what} {caught.value.todo}"
    assert says in said and caught.value.where == f"chapters/hpc/clusters.yml:{line}", (said, caught.value.where)


def test_an_unknown_cluster_is_guessed() -> None:
    with pytest.raises(HandbookError, match="did you mean lumi"):
        load(FILE).get("lumy")


def test_the_checkout_is_read_before_the_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "chapters/hpc").mkdir(parents=True)
    (tmp_path / "_quarto.yml").write_text("")
    (tmp_path / clusters.FILE).write_text(GOOD)
    monkeypatch.chdir(tmp_path / "chapters")
    assert list(load().known) == ["tower"]
    monkeypatch.chdir("/")
    assert list(load().known) == list(load(FILE).known)


def test_every_fact_has_its_days() -> None:
    from labhandbook.book.facts import load_facts

    facts = [fact for fact in load_facts(ROOT) if fact.file == clusters.FILE.as_posix()]
    assert facts and all(fact.source and fact.checked and fact.review_by for fact in facts)


def test_a_wheel_carries_the_file(tmp_path: Path) -> None:
    """Built from a copy of the sources without git: the file is in the wheel, and is the book's."""
    for name in ("pyproject.toml", "README.md", "LICENSE", clusters.FILE, "tooling/src/labhandbook"):
        place = tmp_path / "copy" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, place)
    words: list[str | Path] = [sys.executable, "-m", "build", "--wheel", "--installer", "uv", "--outdir", tmp_path,
                               tmp_path / "copy"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)
    if "No solution found" in done.stderr or "Failed to fetch" in done.stderr:
        pytest.skip(LACKS + "a package index that has the build's requirements")
    assert done.returncode == 0, done.stderr[-2000:]
    wheel, = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("labhandbook/hpc/clusters.yml") == FILE.read_bytes()
        archive.extractall(tmp_path / "lib")
    program = (f"import sys; sys.path.insert(0, {str(tmp_path / 'lib')!r}); from labhandbook.hpc import clusters, "
               "chapter_scripts; known = clusters.load(); dict(chapter_scripts.scripts(known)); "
               "print(clusters.__file__, *known.known)")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert re.search(rf"^{re.escape(str(tmp_path))}/lib/.* lumi roihu turso mahti puhti$", done.stdout), done.stderr
