"""Building, testing and installing with the rattler libraries, in a process of its own.

They write to the terminal and keep threads that outlive Python's own end, so this process ends at once when its
result is written. The command line names two JSON files, the job and the result, and the descriptor of a pipe on
which the name of each stage is written when it begins.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from labhandbook.core.process import run

COMPILED = (".so", ".pyd", ".dylib", ".dll")


def work(job: dict[str, Any], stage: Callable[[str], None]) -> dict[str, Any]:
    """Build, then test, then install; the first that fails is the last."""
    import rattler_build
    from rattler import install
    from rattler.index import index_fs

    result: dict[str, Any] = {"stage": "", "ok": False, "log": [], "error": "", "package": "", "tests": []}

    def begin(word: str) -> None:
        result["stage"] = word
        stage(word)

    channels, needed = [job["channel"]], list[str]()
    try:
        begin("building")
        recipe = rattler_build.Stage0Recipe.from_file(job["recipe"])
        variants = recipe.render(rattler_build.VariantConfig({"python_min": [job["python_min"]]}))
        needed = list(map(str, variants[0].recipe.requirements.host))
        built = variants[0].run_build(tool_config=rattler_build.ToolConfiguration(test_strategy="skip"),
                                      output_dir=job["output"], channels=channels, no_build_id=True)
        begin("testing")
        package = rattler_build.Package.from_file(built.packages[0])
        if package.noarch:
            result["compiled"] = [str(name) for name in package.files if str(name).endswith(COMPILED)]
            if result["compiled"]:
                return result
        # A test whose environment can't be solved does not say why.
        asyncio.run(index_fs(job["output"], write_zst=False, write_shards=False, force=True))
        records = asyncio.run(solved([Path(job["output"]).as_uri(), *channels],
                                     [f"{package.name} =={package.version}"]))
        for index, test in enumerate(package.tests):
            tried = package.run_test(index, channel=channels)
            result["tests"].append({"ok": tried.success, "kind": type(test).__name__,
                                    "output": [str(line) for line in tried.output]})
        if not all(test["ok"] for test in result["tests"]):
            return result
        begin("installing")
        asyncio.run(install(records, job["prefix"], show_progress=False))
    except Exception as error:
        result.update(error=str(error), log=[str(line) for line in getattr(error, "log", [])])
        if result["stage"] == "building" and "resolve dependencies" in result["error"]:
            result["error"] = unsolved(channels, needed) or result["error"]
        return result
    python = Path(job["prefix"], *(("python.exe",) if os.name == "nt" else ("bin", "python")))
    code = ("import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
            "print(*sys.version_info[:2], sep='.')")
    done = run([python, "-I", "-c", code, *job["imports"]], cwd=job["prefix"])
    result.update(ok=done.returncode == 0, python=done.stdout.rstrip().rpartition("\n")[2],
                  error=done.stderr.strip()[-800:], package=str(built.packages[0]))
    return result


async def solved(channels: list[str], wanted: list[str]) -> list[Any]:
    """What an empty prefix needs for these packages."""
    from rattler import Platform, VirtualPackage, solve

    return list(await solve(channels, wanted, platforms=[str(Platform.current()), "noarch"],  # type: ignore[list-item]
                            virtual_packages=VirtualPackage.detect()))


def unsolved(channels: list[str], wanted: list[str]) -> str:
    """Why these packages can't be installed together, which a build does not say; empty when they can."""
    try:
        asyncio.run(solved(channels, wanted))
    except Exception as error:
        return str(error)
    return ""


def main() -> None:
    """Read the job, write the result, end."""
    job, result, pipe = sys.argv[1:]
    stages = os.fdopen(int(pipe), "w")
    found = work(json.loads(Path(job).read_text(encoding="utf-8")), lambda word: print(word, file=stages, flush=True))
    Path(result).write_text(json.dumps(found), encoding="utf-8")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
