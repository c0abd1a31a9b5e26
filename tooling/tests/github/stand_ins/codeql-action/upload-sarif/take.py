"""What github/codeql-action/upload-sarif takes: SARIF 2.1.0 whose results name rules that the run describes."""

import json
import os
import shutil
import sys
from pathlib import Path

given = Path(os.environ["GIVEN"])
files = sorted(given.rglob("*.sarif")) if given.is_dir() else [given]
if not files:
    sys.exit(f"No SARIF files found to upload in {given}")
target = Path(os.environ["STAND_IN_ARTIFACTS"]) / "code-scanning" / os.environ["CATEGORY"]
target.mkdir(parents=True, exist_ok=True)
for file in files:
    report = json.loads(file.read_text(encoding="utf-8"))
    assert report["version"] == "2.1.0", file
    for run in report["runs"]:
        known = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
        assert all(result["ruleId"] in known and result["locations"] for result in run["results"]), file
    shutil.copy(file, target)
    print(f"{file.name}: {sum(len(run['results']) for run in report['runs'])} results")
