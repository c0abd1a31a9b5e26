"""What a page shows of finished runs: results, files replaced whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from labhandbook.runs import HandbookError, Run, as_json, read_results, write_files


def test_only_a_finished_run_has_a_result(tmp_path: Path) -> None:
    with Run.open(tmp_path / "run", {"seed": 1}) as run:
        with pytest.raises(HandbookError, match="no finished run"):
            read_results([tmp_path / "run"])
        run.finish({"score": 0.5})
    assert read_results([tmp_path / "run"]) == [{"score": 0.5}]
    with pytest.raises(HandbookError, match="run of something else"):
        read_results([tmp_path / "run"], ("score", "coverage"))


def test_runs_of_different_steps_are_not_mixed(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("short", "also short", "long", "old")]
    for folder, steps in zip(folders, (20, 20, 40, None), strict=True):
        with Run.open(folder, {}, steps) as run:
            run.finish({"score": 0.5})
    assert [result.get("steps") for result in read_results([*folders[:2], folders[3]], ("score",))] == [20, 20, None]
    with pytest.raises(HandbookError, match=r"short has 20, .*long has 40") as raised:
        read_results(folders, ("score",))
    assert raised.value.todo == "prolong the shorter runs to the steps of the longest"


def test_files_are_replaced_whole(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text("old")
    assert write_files(tmp_path, {"results.json": "{}\n"}) == [tmp_path / "results.json"]
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("results.json", "{}\n")]


def test_results_have_a_line_for_each_list() -> None:
    text = as_json({"score": {"iqm": 1.5, "seeds": [1, 2.0]}, "rows": [[1], [2]]})
    assert json.loads(text) == {"score": {"iqm": 1.5, "seeds": [1, 2.0]}, "rows": [[1], [2]]}
    assert '    "seeds": [1, 2.0]\n' in text
