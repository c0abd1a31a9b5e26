"""What actions/upload-artifact takes: files by pattern below their common root, hidden ones only when asked for."""

import os
import sys
import zipfile
from pathlib import Path


def matching(line: str) -> tuple[Path, set[Path]]:
    """Where the search for a file, a folder or a pattern starts, and the files that it finds."""
    start = Path(line.split("*")[0])
    start = (start if start.is_dir() else start.parent).resolve()
    found = [Path(line)] if "*" not in line else Path.cwd().glob(line)
    every = {inside.resolve() for path in found for inside in (path.rglob("*") if path.is_dir() else [path])}
    # The action looks at names from where the search starts: the folders above may be hidden.
    return start, {path for path in every if path.is_file() and (
        os.environ["HIDDEN"] == "true"
        or not any(part.startswith(".") for part in path.relative_to(start.parent).parts))}


roots: list[Path] = []
files: set[Path] = set()
for line in filter(None, map(str.strip, os.environ["FILES"].splitlines())):
    start, found = matching(line.lstrip("!"))
    files = files - found if line.startswith("!") else files | found
    roots += [] if line.startswith("!") else [start]
target = Path(os.environ["STAND_IN_ARTIFACTS"]) / f"{os.environ['NAME']}.zip"
if not files:
    print(f"No files were found with the provided path: {os.environ['FILES']}")
    sys.exit(os.environ["MISSING"] == "error")
if target.exists() and os.environ["OVERWRITE"] != "true":
    sys.exit("Conflict: an artifact with this name already exists on the workflow run")
root = Path(os.path.commonpath(roots))
with zipfile.ZipFile(target, "w") as archive:
    for path in sorted(files):
        # As the action does: permissions are lost.
        archive.writestr(path.relative_to(root).as_posix(), path.read_bytes())
with Path(os.environ["GITHUB_OUTPUT"]).open("a") as outputs:
    outputs.write(f"artifact-id=1\nartifact-url=https://example.org/artifacts/{target.stem}\n")
print(f"{target.stem}: {len(files)} files")
