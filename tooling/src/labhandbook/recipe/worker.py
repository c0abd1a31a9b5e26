"""Building, testing and installing with the rattler libraries, in a process of its own.

They write to the terminal and keep threads that outlive Python's own end, so this process ends at once when its
result is written. The job and the result are JSON files, named on the command line.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def work(job: dict[str, Any]) -> dict[str, Any]:
    """Build, then test, then install; the first that fails is the last."""
    import rattler_build

    result: dict[str, Any] = {"stage": "render", "ok": False, "log": [], "error": "", "package": "", "tests": [],
                              "seconds": {}}
    since = time.monotonic()
    channels = [job["channel"]]
    try:
        recipe = rattler_build.Stage0Recipe.from_file(job["recipe"])
        variants = recipe.render(rattler_build.VariantConfig({"python_min": [job["python_min"]]}))
        result["stage"] = "build"
        built = variants[0].run_build(tool_config=rattler_build.ToolConfiguration(test_strategy="skip"),
                                      output_dir=job["output"], channels=channels, no_build_id=True)
    except Exception as error:
        result.update(error=str(error), log=[str(line) for line in getattr(error, "log", [])])
        return result
    result.update(stage="test", package=str(built.packages[0]))
    result["seconds"]["building"] = time.monotonic() - since
    package = rattler_build.Package.from_file(built.packages[0])
    try:
        for index, test in enumerate(package.tests):
            tried = package.run_test(index, channel=channels)
            result["tests"].append({"ok": tried.success, "kind": type(test).__name__,
                                    "output": [str(line) for line in tried.output]})
    except Exception as error:
        result.update(error=str(error), log=[str(line) for line in getattr(error, "log", [])])
        return result
    if not all(test["ok"] for test in result["tests"]):
        return result
    result["stage"] = "install"
    result["seconds"]["testing"] = time.monotonic() - since
    try:
        asyncio.run(install(job, package.name, str(package.version)))
    except Exception as error:
        result["error"] = str(error)
        return result
    python = Path(job["prefix"]) / "bin" / "python"
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    done = subprocess.run([python, "-I", "-c", code, *job["imports"]], capture_output=True, text=True, check=False,
                          cwd=job["prefix"])
    result["seconds"]["installing"] = time.monotonic() - since
    result.update(ok=done.returncode == 0, error=done.stderr.strip()[-800:])
    return result


async def install(job: dict[str, Any], name: str, version: str) -> None:
    """Solve for the package alone and install what it needs into an empty prefix."""
    from rattler import Platform, VirtualPackage, install, solve
    from rattler.index import index_fs

    await index_fs(job["output"], write_zst=False, write_shards=False, force=True)
    records = await solve([Path(job["output"]).as_uri(), job["channel"]], [f"{name} =={version}"],
                          platforms=[str(Platform.current()), "noarch"],  # type: ignore[list-item]
                          virtual_packages=VirtualPackage.detect())
    await install(records, job["prefix"], show_progress=False)


def main() -> None:
    """Read the job, write the result, end."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    result = work(job)
    Path(sys.argv[2]).write_text(json.dumps(result), encoding="utf-8")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
