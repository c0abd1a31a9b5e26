"""Data by stream, predictions in chunks, and the study that survives."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from labhandbook.runs import HandbookError, overlap
from mhi_eras import Fitted, convert, load, synthetic
from mhi_eras.cli import main
from mhi_eras.predict import predict
from mhi_eras.results import SCORES, write_results
from mhi_eras.study import EMBARGO, HELD, hold_out, study


def program(*words: str, cwd: Path, wait: bool = True) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-m", "mhi_eras", *words], cwd=cwd, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if wait:
        process.wait(1800)
    return process


def test_parquet_holds_what_the_csv_held(tournament: Path) -> None:
    csv_rows, parquet = pl.read_csv(tournament / "train.csv"), pl.read_parquet(tournament / "train.parquet")
    assert parquet.columns == csv_rows.columns and parquet.height == csv_rows.height == 110 * 60
    assert parquet["feature_003"].dtype == pl.Float32
    assert np.allclose(parquet["feature_003"], csv_rows["feature_003"]) and np.allclose(parquet["target"],
                                                                                       csv_rows["target"])
    assert parquet["era"][0] == "0001"


ANONYMOUS = """
import sys, threading, time
from pathlib import Path
from mhi_eras import convert
work = threading.Thread(target=convert, args=(Path(sys.argv[1]), Path(sys.argv[2])))
def own():
    return int(next(line for line in open("/proc/self/status") if line.startswith("RssAnon")).split()[1]) // 1024
before = peak = own()
work.start()
while work.is_alive():
    peak = max(peak, own())
    time.sleep(0.005)
print(peak - before)
"""


@pytest.mark.slow
def test_conversion_streams(tmp_path: Path) -> None:
    """Four times the file takes far less than four times the memory; what the system maps of it is not counted."""
    names = [f"feature_{number:03d}" for number in range(400)]
    row = ",".join(["n", "0001", *["0.25"] * 400]) + "\n"
    taken = []
    for count in (60_000, 240_000):
        source = tmp_path / f"{count}.csv"
        with source.open("w", encoding="utf-8") as stream:
            stream.write(",".join(["id", "era", *names]) + "\n")
            for _ in range(count // 1000):
                stream.write(row * 1000)
        done = subprocess.run([sys.executable, "-c", ANONYMOUS, source, tmp_path / "out.parquet"], text=True,
                              capture_output=True, check=True)
        taken.append(int(done.stdout))
        assert pl.scan_parquet(tmp_path / "out.parquet").select(pl.len()).collect().item() == count
    assert source.stat().st_size > 450e6
    assert taken[1] < 2.5 * taken[0], f"{taken} MB"


def test_every_takes_some_eras_whole_and_live_rows_have_no_target(tournament: Path) -> None:
    assert np.unique(load(tournament / "train.parquet", every=4).eras).tolist() == list(range(4, 111, 4))
    assert len(load(tournament / "live.parquet").y) == 0


def test_held_eras_come_last_and_touch_nothing(tournament: Path) -> None:
    past, held = hold_out(load(tournament / "train.parquet"))
    assert len(np.unique(held.eras)) == HELD
    assert past.eras.max() + EMBARGO + 1 == held.eras.min()


@pytest.mark.parametrize(("source", "every"), [("train", 10), ("live", 1)])
def test_too_few_eras_are_one_message_and_begin_no_run(tournament: Path, tmp_path: Path, source: str,
                                                       every: int) -> None:
    with pytest.raises(HandbookError, match="needs more eras") as caught:
        study(tournament / f"{source}.parquet", tmp_path / "run", every=every)
    assert "eras are too few" in caught.value.why and not (tmp_path / "run").exists()


def test_a_folder_that_can_not_be_made_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["synthetic", str(tmp_path / "file")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"✗ {tmp_path / 'file'}: File exists\n") and said.endswith("#sec-eras-run\n")


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "era,x\n1,2\n", "", '"'])
def test_a_file_that_is_no_table_is_named_and_leaves_nothing(tmp_path: Path, text: str) -> None:
    source, target = tmp_path / "x.csv", tmp_path / "x.parquet"
    source.write_text(text, encoding="utf-8")
    target.write_text("before")
    with pytest.raises(HandbookError, match=r"no table|can't be read"):
        convert(source, target)
    assert target.read_text() == "before" and {path.name for path in tmp_path.iterdir()} == {"x.csv", "x.parquet"}


@pytest.mark.parametrize(("column", "value"), [
    ("feature_000", None), ("feature_000", float("nan")), ("feature_000", float("inf")), ("feature_000", 1e38),
    ("feature_000", "much"), ("target", float("inf")), ("target", 1e200)])
def test_a_value_that_is_no_number_is_one_message(tournament: Path, tmp_path: Path, column: str,
                                                  value: float | str | None) -> None:
    rows = pl.read_parquet(tournament / "train.parquet")
    kind = pl.String if isinstance(value, str) else pl.Float64
    odd = pl.Series(column, [value, *rows[column].cast(kind)[1:]], dtype=kind)
    rows.with_columns(odd).write_parquet(tmp_path / "odd.parquet")
    with pytest.raises(HandbookError, match=f"the column {column} has a value that is no number"):
        study(tmp_path / "odd.parquet", tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("arrays", [{}, {"w0": np.zeros((5, 1)), "b0": np.zeros(1)},
                                    {"w0": np.array([["a"]]), "b0": np.zeros(1)},
                                    {"w0": np.full((1, 1), np.nan), "b0": np.zeros(1)}])
def test_layers_that_do_not_fit_are_no_model(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / "model.npz", allow_pickle=False, features=np.array(["feature_000"]), **arrays)
    with pytest.raises(HandbookError, match="the model can't be read"):
        Fitted.load(tmp_path / "model.npz")


def test_a_prediction_that_fails_leaves_no_file(tournament: Path, tmp_path: Path) -> None:
    model = Fitted(("feature_000",), (np.zeros((1, 1)),), (np.zeros(1),))
    pl.read_parquet(tournament / "live.parquet").drop("id").write_parquet(tmp_path / "nameless.parquet")
    with pytest.raises(HandbookError, match="the table can't be read"):
        predict(tmp_path / "nameless.parquet", model, tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["nameless.parquet"]


def test_predictions_are_the_same_in_any_chunks(tournament: Path, tmp_path: Path) -> None:
    names = [f"feature_{number:03d}" for number in range(12)]
    model = Fitted(tuple(names), (np.linspace(-0.1, 0.1, 12).reshape(-1, 1),), (np.array([0.5]),))
    for rows in (7, 1000):
        assert predict(tournament / "live.parquet", model, tmp_path / f"{rows}.csv", rows=rows) == 60
    assert (tmp_path / "7.csv").read_bytes() == (tmp_path / "1000.csv").read_bytes()
    with (tmp_path / "7.csv").open(newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert lines[0]["id"] == "n1-111-0" and all(0 < float(line["prediction"]) < 1 for line in lines)
    live = pl.read_parquet(tournament / "live.parquet").select(names).to_numpy()
    order = np.argsort([float(line["prediction"]) for line in lines])
    assert np.allclose(np.diff(model.predict(live)[order]).clip(max=0), 0, atol=1e-5), "the order is the model's"


def test_predictions_without_a_feature_or_of_another_scale_are_refused(tournament: Path, tmp_path: Path) -> None:
    live, out = tournament / "live.parquet", tmp_path / "out.csv"
    with pytest.raises(HandbookError, match="lacks feature_999 and 0 more"):
        predict(live, Fitted(("feature_999",), (np.ones((1, 1)),), (np.zeros(1),)), out)
    with pytest.raises(HandbookError, match="far outside"):
        predict(live, Fitted(("feature_000",), (np.full((1, 1), 100.0),), (np.zeros(1),)), out)
    assert list(tmp_path.iterdir()) == []


def test_a_killed_study_goes_on_and_ends_as_if_nothing_had_been(tournament: Path, tmp_path: Path,
                                                                capsys: pytest.CaptureFixture[str]) -> None:
    words = ("study", str(tournament / "train.parquet"), "--seed", "3", "--run-dir")
    assert main([*words, str(tmp_path / "whole")]) == 0
    out, err = capsys.readouterr()
    assert re.findall(r"^(\d+)/11 .*Sharpe", err, re.MULTILINE) == [str(number) for number in range(1, 12)]
    half = program(*words, "half", cwd=tmp_path, wait=False)
    metrics = tmp_path / "half/metrics.jsonl"
    while half.poll() is None and not (metrics.exists() and metrics.read_text().count("\n") >= 3):
        time.sleep(0.02)
    half.kill()
    half.communicate()
    assert not (tmp_path / "half/result.json").exists()
    again = program(*words, "half", cwd=tmp_path)
    said = again.communicate()
    assert again.returncode == 0 and said[1].count("Sharpe") < 11
    assert json.loads((tmp_path / "half/result.json").read_text()) == json.loads(out) == json.loads(said[0])
    first, second = (tmp_path / name / "model.npz" for name in ("whole", "half"))
    assert all(np.array_equal(a, b) for a, b in zip(Fitted.load(first).weights, Fitted.load(second).weights,
                                                    strict=True))


def test_a_stopped_study_says_so_by_its_exit_code(tournament: Path, tmp_path: Path) -> None:
    process = program("study", str(tournament / "train.parquet"), "--run-dir", "run", cwd=tmp_path, wait=False)
    while process.poll() is None and not (tmp_path / "run/checkpoints").exists():
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(120) == 128 + signal.SIGTERM
    process.communicate()
    assert not (tmp_path / "run/result.json").exists()


@pytest.mark.slow
def test_the_page_prints_what_five_seeds_find(tmp_path: Path) -> None:
    known = json.loads((Path(__file__).parents[1] / "results.json").read_text(encoding="utf-8"))
    runs = []
    for seed in range(known["seeds"]):
        os.environ.pop("RUN_DIR", None)
        assert program("study", "--seed", str(seed), cwd=tmp_path).wait() == 0
        runs.append(tmp_path / f"runs/mhi_eras-seed-{seed}")
    write_results(runs, tmp_path)
    found = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert found["fitted-rows"]["mean"]["low"] > found["held"]["mean"]["high"], "the trap"
    for name in SCORES:
        for value in ("mean", "sharpe"):
            assert overlap(found[name][value], known[name][value])


def test_the_trap_is_a_trap(tmp_path: Path) -> None:
    """Scored on the rows it was fitted to, the winner seems far better than it is on eras that it has not seen."""
    synthetic(tmp_path, seed=0)
    convert(tmp_path / "train.csv", tmp_path / "train.parquet")
    assert main(["study", str(tmp_path / "train.parquet"), "--run-dir", str(tmp_path / "run")]) == 0
    known = json.loads((tmp_path / "run/result.json").read_text())
    assert known["fitted-rows"]["mean"] > 1.5 * known["held"]["mean"] > 0
    assert known["fitted-rows"]["sharpe"] > known["held"]["sharpe"] + 0.5
