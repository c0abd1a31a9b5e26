"""The chapter's job scripts are what the package writes from `clusters.yml`, and the facts decide what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from labhandbook.core.errors import HandbookError
from labhandbook.hpc import clusters
from labhandbook.hpc.chapter_scripts import Recipe, recipes, scripts
from labhandbook.hpc.new_job import Kind, plan
from labhandbook.hpc.script_text import script
from tooling.tests.conftest import ROOT, run
from tooling.tests.hpc.conftest import JOBS
from tooling.tests.hpc.slurm import CLUSTERS

RECIPES = recipes(CLUSTERS)
RUNNING = [key for key, cluster in CLUSTERS.known.items() if not cluster.retired]
# What nobody knows: how many GPUs a node of Turso has.
UNKNOWN = {("turso", "full-node")}


def test_the_files_are_what_the_package_writes() -> None:
    written = dict(scripts(CLUSTERS))
    """The programs beside them are the reader's: test_scripts_run and test_other_tools run those."""
    found = {path.name: path.read_text() for path in JOBS.iterdir() if path.suffix != ".py"}
    assert found == written, "run: handbook job scripts chapters/hpc/jobs --force"


def test_every_kind_of_job_has_a_script_for_every_cluster() -> None:
    have = {(key, recipe.wish.name) for recipe in RECIPES for key in recipe.clusters}
    assert have == {(key, recipe.wish.name) for key in RUNNING for recipe in RECIPES} - UNKNOWN
    # A program for torchrun gets its script by job new.
    assert {recipe.wish.kind for recipe in RECIPES} == set(Kind) - {Kind.TORCHRUN}
    for key in RUNNING:
        assert {f"{key}-interactive.sh", f"{key}-setup.sh", "chain.sh"} <= set(dict(scripts(CLUSTERS, key)))


@pytest.mark.parametrize("recipe", [each for each in RECIPES if len(each.clusters) > 1], ids=lambda each: each.file)
def test_a_shared_script_is_the_same_for_each_of_its_clusters(recipe: Recipe) -> None:
    texts = {script(plan(CLUSTERS.get(key), recipe.wish), recipe.file, recipe.notes, host="")
             for key in recipe.clusters}
    assert len(texts) == 1


@pytest.mark.parametrize(("old", "new", "file", "says"), [
    ('pytorch: "python-pytorch/2.10"', 'pytorch: "python-pytorch/3.0"', "roihu-one-gpu.sh", "python-pytorch/3.0 "),
    ("cores-per-gpu: 7\n", "cores-per-gpu: 6\n", "lumi-full-node.sh", "--cpus-per-task=6\n"),
    ('bindings: "lumi-aif', 'bindings: "other', "lumi-requeue.sh", "module load other-singularity-bindings"),
    ('cluster: "ukko"', 'cluster: "kale"', "turso-array-grid.sh", "#SBATCH --clusters=kale"),
    ('path: "/projappl"', 'path: "/other"', "roihu-setup.sh", "/other/$PROJECT/$USER"),
    ('time-limit: "15 minutes"\n      max-hours: 0.25\n      max-nodes: 2\n    gpuint',
     'time-limit: "12 minutes"\n      max-hours: 0.2\n      max-nodes: 2\n    gpuint', "roihu-interactive.sh",
     "--time=00:12:00"),
])
def test_a_fact_that_changes_changes_the_scripts(old: str, new: str, file: str, says: str) -> None:
    text = (ROOT / clusters.FILE).read_text()
    assert text.count(old) == 1 and says not in (JOBS / file).read_text()
    assert says in dict(scripts(clusters.parse(text.replace(old, new), "clusters.yml")))[file]


def test_a_fact_that_is_missing_is_named() -> None:
    text = (ROOT / clusters.FILE).read_text().replace('    bindings: "lumi-aif-singularity-bindings"\n', "")
    with pytest.raises(HandbookError, match=r"lumi lacks software\.bindings"):
        dict(scripts(clusters.parse(text, "clusters.yml")))


def test_the_command_writes_what_is_missing_and_replaces_nothing_unasked(tmp_path: Path) -> None:
    first = run("job", "scripts", "new", "--cluster", "turso", cwd=tmp_path)
    names = set(dict(scripts(CLUSTERS, "turso")))
    assert first.returncode == 0 and {path.name for path in (tmp_path / "new").iterdir()} == names
    assert f"{len(names)} of {len(names)} scripts written into new" in first.stderr
    mine = tmp_path / "new/chain.sh"
    mine.write_text("mine")
    (tmp_path / "new/turso-setup.sh").unlink()
    second = run("job", "scripts", "new", "--cluster", "turso", cwd=tmp_path)
    assert second.returncode == 2 and "new/chain.sh exists" in second.stderr and mine.read_text() == "mine"
    assert not (tmp_path / "new/turso-setup.sh").exists()
    third = run("job", "scripts", "new", "--cluster", "turso", "--force", cwd=tmp_path)
    assert third.stdout.split() == ["new/chain.sh", "new/turso-setup.sh"] and mine.read_text() != "mine"


@pytest.mark.parametrize(("words", "says"), [
    (["--cluster", "mahti"], "runs no jobs any more"), (["--cluster", "lum"], "did you mean lumi?"),
    (["file/below"], "can't be written: Not a directory"),
])
def test_what_the_command_can_not(words: list[str], says: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("job", "scripts", *words, cwd=tmp_path)
    assert done.returncode == 2 and says in done.stderr and ".html#sec-" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
