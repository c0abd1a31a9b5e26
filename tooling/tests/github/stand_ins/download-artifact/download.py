"""What actions/download-artifact brings: the artifact named, or those that fit a pattern, if there are any."""

import os
import sys
import zipfile
from pathlib import Path

name, folder = os.environ["NAME"], Path(os.environ["FOLDER"])
found = sorted(Path(os.environ["STAND_IN_ARTIFACTS"]).glob(f"{name or os.environ['PATTERN'] or '*'}.zip"))
if name and not found:
    sys.exit(f"Artifact '{name}' not found")
apart = not name and len(found) > 1 and os.environ["MERGE"] != "true"
for path in found:
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder / path.stem if apart else folder)
    print(f"{path.stem}: {len(archive.namelist())} files")
