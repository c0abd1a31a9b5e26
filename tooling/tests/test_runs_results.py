"""What a page shows of finished runs: results, files replaced whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from labhandbook.runs import HandbookError, Run, as_json, read_result, write_files


def test_only_a_finished_run_has_a_result(tmp_path: Path) -> None:
    with Run.open(tmp_path / "run", {"seed": 1}) as run:
        with pytest.raises(HandbookError, match="no finished run"):
            read_result(tmp_path / "run")
        run.finish({"score": 0.5})
    assert read_result(tmp_path / "run") == {"score": 0.5}
    with pytest.raises(HandbookError, match="run of something else"):
        read_result(tmp_path / "run", ("score", "coverage"))


def test_files_are_replaced_whole(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text("old")
    assert write_files(tmp_path, {"results.json": "{}\n"}) == [tmp_path / "results.json"]
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("results.json", "{}\n")]


def test_results_have_a_line_for_each_list() -> None:
    text = as_json({"score": {"iqm": 1.5, "seeds": [1, 2.0]}, "rows": [[1], [2]]})
    assert json.loads(text) == {"score": {"iqm": 1.5, "seeds": [1, 2.0]}, "rows": [[1], [2]]}
    assert '    "seeds": [1, 2.0]\n' in text
