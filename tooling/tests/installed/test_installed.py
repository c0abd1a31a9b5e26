"""What a release of this package must do once it is installed, with nothing but its wheel and the extra `test`.

`handbook release test` runs this folder in clean environments; it needs nothing of the repository around it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def handbook(*args: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command of the environment that runs this."""
    program = Path(sys.executable).with_name("handbook")
    return subprocess.run([program, *map(str, args)], cwd=cwd, capture_output=True, text=True, check=False)


def test_every_group_shows_its_commands() -> None:
    for group in ((), ("release",), ("job",)):
        done = handbook(*group, "--help")
        assert done.returncode == 0 and "Commands:" in done.stdout, done.stderr


def test_the_files_that_it_writes_came_with_it(tmp_path: Path) -> None:
    """A package from the templates, its release workflow, and its plan."""
    folder = tmp_path / "averages"
    assert handbook("release", "new", folder, "--author", "A Person", "--email", "a@example.org").returncode == 0
    done = handbook("release", "init", folder, "--repository", "lab/averages", "--handbook", "0" * 40)
    assert done.returncode == 0, done.stderr
    assert "handbook release admit" in (folder / ".github" / "workflows" / "release.yml").read_text()
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "All"],
                    ["tag", "--annotate", "v0.1.0", "--message", "0.1.0"]):
        subprocess.run([*git, *command], cwd=folder, check=True)
    planned = json.loads(handbook("release", "plan", folder, "--format", "json").stdout)
    assert planned[0]["version"] == "0.1.0" and planned[0]["steps"][0]["step"] == "check"


def test_the_clusters_came_with_it(tmp_path: Path) -> None:
    script = tmp_path / "job.sh"
    script.write_text("#!/bin/bash\n#SBATCH --partition=small\n")
    done = handbook("job", "check", script, "--cluster", "lumi", "--format", "json")
    assert done.returncode in (0, 1), done.stderr
    assert json.loads(done.stdout)["findings"], "a job without an account is found"
