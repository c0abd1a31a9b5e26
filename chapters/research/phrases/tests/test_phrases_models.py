"""The corpus, the two models, and what the study says of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score

from labhandbook.runs import HandbookError, overlap
from mhi_phrases import Incremental, Phrase, read_csv, shipped
from mhi_phrases.cli import main
from mhi_phrases.corpus import FILLS
from mhi_phrases.models import baseline
from mhi_phrases.results import write_results
from mhi_phrases.study import MODELS, SPLITS, folds, predictions, study

PHRASES = shipped()
TEXTS, LABELS = [phrase.text for phrase in PHRASES], [phrase.label for phrase in PHRASES]


def test_the_corpus_is_the_same_each_time_and_filled_in() -> None:
    assert PHRASES == shipped(0) != shipped(1)
    assert len(PHRASES) > 500 and not any("{" in text for text in TEXTS)
    groups = {phrase.group for phrase in PHRASES}
    assert len(groups) == 80 and {group.rsplit("-", 1)[0] for group in groups} == set(LABELS)
    assert all(len({p.text for p in PHRASES if p.group == group}) <= FILLS for group in groups)
    assert resources.files("mhi_phrases").joinpath("data/templates.toml").is_file()


def test_a_reader_who_has_seen_enough_of_the_corpus_gets_no_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([sys.executable, "-m", "mhi_phrases", "corpus"], stdout=writing, stderr=subprocess.PIPE,
                          text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")


def test_a_csv_is_read_with_and_without_groups(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    # Spreadsheets begin such a file with a mark of the byte order.
    path.write_text('text,label,group\n"one, two",a,x\nthree,b,\n', encoding="utf-8-sig")
    assert read_csv(path) == [Phrase("one, two", "a", "x"), Phrase("three", "b", "line-3")]


@pytest.mark.parametrize(("text", "says"), [
    ("words,label\nx,y\n", ":1: no column text"),
    ("text,label\nx,y\n ,y\n", ":3: a text or a label is empty"),
    ("text,label\nx\n", ":2: a text or a label is empty"),
    ("", ":1: no column label and no column text"),
])
def test_a_bad_csv_is_named_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(HandbookError) as raised:
        read_csv(path)
    assert f"{raised.value.where}: {raised.value}".endswith(says)


def test_a_binary_csv_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(b"text,label\n\xff\xfe,x\n")
    with pytest.raises(HandbookError, match="utf-8"):
        read_csv(path)


@pytest.mark.parametrize("split", ["template", "row"])
def test_folds_test_every_row_once_and_only_templates_are_kept_together(split: str) -> None:
    tested: list[int] = []
    shared = 0
    for learn, test in folds(PHRASES, split, 0):
        assert not set(learn) & set(test)
        tested += list(test)
        shared += len({PHRASES[row].group for row in learn} & {PHRASES[row].group for row in test})
    assert sorted(tested) == list(range(len(PHRASES)))
    assert shared == 0 if split == "template" else shared > 100


def score(model: str, split: str) -> float:
    true, guessed = [], []
    for fold in folds(PHRASES, split, 0):
        true += [LABELS[row] for row in fold[1]]
        guessed += predictions(model, PHRASES, fold, 0)
    return float(f1_score(true, guessed, average="macro"))


def test_the_baseline_counts_runs_of_one_to_four_words() -> None:
    fitted = baseline().fit(["my screen stays black today", "the door is open"], ["it", "house"])
    runs = fitted[0].get_feature_names_out()
    assert {len(run.split()) for run in runs} == {1, 2, 3, 4} and "my screen stays black" in runs
    assert np.allclose(np.linalg.norm(fitted[0].transform(["the door stays black"]).toarray(), axis=1), 1)
    assert len(fitted[1].estimators_) == 100


def test_hashing_beats_the_forest_on_new_templates_and_both_cheat_on_known_ones() -> None:
    honest = {model: score(model, "template") for model in ("baseline", "incremental")}
    assert honest["incremental"] > honest["baseline"] + 0.03
    assert all(0.35 < value < 0.75 for value in honest.values())
    assert score("incremental", "row") > 0.95


def test_a_correction_is_learnt_and_the_rest_is_kept() -> None:
    model = Incremental(sorted(set(LABELS))).fit(TEXTS, LABELS)
    before = np.mean(np.array(model.predict(TEXTS)) == LABELS)
    news = ["the coffee machine hums", "zebra lanes are striped"]
    model.correct(news, ["room", "travel"])
    assert model.predict(news) == ["room", "travel"]
    after = np.mean(np.array(model.predict(TEXTS)) == LABELS)
    assert before > 0.99 and after > 0.97


def test_confidence_is_a_probability() -> None:
    model = Incremental(sorted(set(LABELS))).fit(TEXTS, LABELS)
    sure = model.confidence(["my job on the cluster is pending", "xyzzy"])
    assert sure[0] > 0.8 > sure[1] > 1 / 8 - 1e-9


@pytest.mark.slow
def test_the_page_prints_what_five_seeds_find(tmp_path: Path) -> None:
    path = Path(__file__).parents[1] / "results.json"
    known = json.loads(path.read_text(encoding="utf-8"))
    runs = [tmp_path / str(seed) for seed in range(known["seeds"])]
    for seed, folder in enumerate(runs):
        study(PHRASES, seed, folder)
    write_results(runs, tmp_path)
    found = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    for model in MODELS:
        assert found[model]["template"]["high"] < found[model]["row"]["low"], "the trap"
        for split in SPLITS:
            assert overlap(found[model][split], known[model][split])


def test_results_of_a_run_that_has_not_ended_are_refused(tmp_path: Path) -> None:
    with pytest.raises(HandbookError, match="no finished run"):
        write_results([tmp_path], tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/result.json").write_text('{"held": 1}')
    with pytest.raises(HandbookError, match="run of something else"):
        write_results([tmp_path / "other"], tmp_path)
    assert not (tmp_path / "results.json").exists()


@pytest.mark.parametrize("count", [1, 4])
def test_too_few_phrases_for_the_folds_begin_no_run(tmp_path: Path, count: int) -> None:
    few = [Phrase(f"text {number}", "ab"[number % 2], str(number)) for number in range(count)]
    with pytest.raises(HandbookError, match="can't be split into 5 folds"):
        study(few, 0, tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("text", "labels"), [("word {}", "a"), ("!! {}", "ab")], ids=["one label", "no words"])
def test_phrases_that_no_model_can_learn_are_one_message(tmp_path: Path, text: str, labels: str) -> None:
    phrases = [Phrase(text.format(number % 3), labels[number % len(labels)], str(number)) for number in range(20)]
    with pytest.raises(HandbookError, match="a model can't learn these phrases"):
        study(phrases, 0, tmp_path / "run")


def test_results_of_something_else_are_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = {f"{model}-{split}": "good" for model in MODELS for split in SPLITS}
    (tmp_path / "result.json").write_text(json.dumps(scores))
    assert main(["results", str(tmp_path), "--output", str(tmp_path)]) == 2
    assert "is not what this study writes" in capsys.readouterr().err
