"""A cluster is data: one that no code knows, and one under another name, work with every `handbook job` command."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from labhandbook.hpc import clusters
from tooling.tests.conftest import ROOT, run
from tooling.tests.hpc.conftest import CASES

pytestmark = pytest.mark.walk

SACCT = ("JobID|JobName|State|AllocCPUS|ElapsedRaw|TotalCPU|MaxRSS\n"
         "7|train|COMPLETED|4|3600|01:00:00|\n7.0|python|COMPLETED|4|3600|01:00:00|2G\n")


def checkout(folder: Path, text: str, parts: Path | None = None) -> Path:
    """A folder that looks like a checkout of a book with this file of clusters."""
    (folder / "chapters/hpc").mkdir(parents=True)
    (folder / "_quarto.yml").write_text("")
    (folder / clusters.FILE).write_text(text)
    (folder / "slurm_log").mkdir()
    if parts:
        shutil.copytree(parts, folder / "chapters/hpc/parts")
    return folder


@pytest.fixture
def tower(tmp_path: Path) -> Path:
    return checkout(tmp_path, (CASES / "tower/clusters.yml").read_text(), CASES / "tower/parts")


@pytest.fixture
def triton(tmp_path: Path) -> Path:
    text = (ROOT / clusters.FILE).read_text()
    return checkout(tmp_path, re.sub("^turso:", "triton:", text, flags=re.MULTILINE).replace('"Turso"', '"Triton"'))


SCRIPTS = ("cpu-smallest", "array-seeds", "array-grid", "one-gpu", "several-nodes", "requeue", "interactive", "setup")
KINDS = ("single", "seeds", "grid", "smallest", "ranks", "torchrun", "requeue")


@pytest.mark.parametrize("cluster", ["tower", "triton"])
def test_every_command_works(cluster: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(cluster)
    for kind in KINDS:
        gpus = ["--gpus", "1"] if kind in ("ranks", "torchrun", "requeue") else []
        made = run("job", "new", f"{kind}.sh", "--cluster", cluster, "--kind", kind, *gpus, cwd=folder)
        assert made.returncode == 0, made.stderr
        checked = run("job", "check", f"{kind}.sh", "--cluster", cluster, "--strict", cwd=folder)
        assert (checked.returncode, checked.stdout) == (0, ""), checked.stdout
    written = run("job", "scripts", "scripts", "--cluster", cluster, cwd=folder)
    assert written.returncode == 0, written.stderr
    names = {path.name for path in (folder / "scripts").iterdir()}
    assert names >= {"chain.sh", *(f"{cluster}-{kind}.sh" for kind in SCRIPTS)}
    for path in (folder / "scripts").iterdir():
        if "#SBATCH" in path.read_text():
            checked = run("job", "check", str(path), "--cluster", cluster, "--strict", cwd=folder)
            assert (checked.returncode, checked.stdout) == (0, ""), (path.name, checked.stdout)
    (folder / "sacct.txt").write_text(SACCT)
    used = run("job", "efficiency", "7", "--from", "sacct.txt", cwd=folder)
    assert used.returncode == 0 and "Ask for 2 cores instead of 4." in used.stdout


def test_the_scripts_say_what_the_file_says(tower: Path) -> None:
    run("job", "scripts", "scripts", cwd=tower)
    texts = {path.stem: path.read_text() for path in (tower / "scripts").iterdir()}
    assert set(texts) == {"chain", "tower-full-node", *(f"tower-{name}" for name in SCRIPTS)}
    one = texts["tower-one-gpu"]
    assert "#SBATCH --gres=gpu:x1:1\n" in one and "--mem" not in one and "#SBATCH --clusters=north\n" in one
    assert "spack env activate" in one and "spack-python -m" in one and "# Tower, one card.\n" in one
    assert "export NCCL_SOCKET_IFNAME=ib0,ib1\n" in texts["tower-several-nodes"]
    assert '--account="$PROJECT"' in texts["tower-interactive"]
    assert "spack install python %gcc@14" in texts["tower-setup"]
    assert "on the plain nodes of Tower:" in texts["tower-cpu-smallest"]


def test_check_says_what_the_cluster_does(tower: Path) -> None:
    (tower / "job.sh").write_text(
        "#!/bin/bash\n#SBATCH --partition=cards --time=60 --cpus-per-task=4 --gres=gpu:x2:1 --mail-type=END\n"
        "#SBATCH --output=slurm_log/%x_%j.out\ntower-quota\nsalloc --nodes=1\nsource /home/me/env/bin/activate\n")
    done = run("job", "check", "job.sh", "--cluster", "tower", "--format", "json", cwd=tower)
    found = {(each["code"], each["line"]): each["message"] for each in json.loads(done.stdout)["findings"]}
    assert set(found) == {("HPC018", 2), ("HPC052", 2), ("HPC042", 3), ("HPC050", 4), ("HPC050", 5), ("HPC053", 6)}
    assert "--gres=gpu:x1:1" in found["HPC018", 2] and found["HPC050", 4] == "Tower has no tower-quota: use df -h"


def test_cost_is_in_the_units_of_the_price_list(tower: Path, tmp_path: Path) -> None:
    (tower / "job.sh").write_text("#!/bin/bash\n#SBATCH -p cards -t 02:00:00 --gres=gpu:x1:2\nhostname\n")
    done = run("job", "cost", "job.sh", cwd=tower)
    assert done.returncode == 0 and "at most 40 tokens on Tower cards\n    2 cards x 10 x 2 h" in done.stdout
    unknown = run("job", "cost", "job.sh", "--cluster", "nowhere", cwd=tower)
    assert unknown.returncode == 2 and "name one of: tower" in unknown.stderr


def test_a_cluster_without_a_price_list_is_no_crash(triton: Path) -> None:
    (triton / "job.sh").write_text("#!/bin/bash\n#SBATCH --partition=gpu --time=02:00:00 --gpus=1\nhostname\n")
    done = run("job", "cost", "job.sh", "--cluster", "triton", cwd=triton)
    assert done.returncode == 2 and "Triton has no price list" in done.stderr


@pytest.mark.parametrize(("cut", "words", "says"), [
    (r"(?s)    cards:.*", ["--gpus", "1"], "it has none for everyday GPU jobs"),
    (r"(?s)    plain:.*?(?=    cards:)", [], "it has none for everyday CPU jobs"),
    (r"(?s)  gpu:\n.*?(?=  jobs:)", ["--gpus", "1"], "has no GPUs"),
])
def test_what_a_cluster_lacks_is_named(cut: str, words: list[str], says: str, tmp_path: Path) -> None:
    text, count = re.subn(cut, "", (CASES / "tower/clusters.yml").read_text())
    folder = checkout(tmp_path, text, CASES / "tower/parts")
    done = run("job", "new", "--cluster", "tower", *words, cwd=folder)
    assert count == 1 and done.returncode == 2 and says in done.stderr, done.stderr
    assert run("job", "scripts", "scripts", cwd=folder).returncode == 0


def test_a_missing_script_part_is_named(tmp_path: Path) -> None:
    folder = checkout(tmp_path, (CASES / "tower/clusters.yml").read_text())
    done = run("job", "new", "--cluster", "tower", cwd=folder)
    assert done.returncode == 2 and "there is no script part spack.sh" in done.stderr


def test_no_code_names_a_cluster() -> None:
    names = [key for key, cluster in clusters.load(ROOT / clusters.FILE).known.items()]
    assert len(names) == 5
    for path in (ROOT / "tooling/src/labhandbook").rglob("*"):
        if path.suffix in (".py", ".lua", ".sh"):
            assert not re.search(rf"\b({'|'.join(names)})\b", path.read_text(), re.IGNORECASE), path
