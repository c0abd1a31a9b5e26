"""The command `mhi-phrases`."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from labhandbook.runs import Run, add_results, add_study, carry_out
from mhi_phrases.corpus import Phrase, read_csv, shipped

FINE = 0


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; the exit code. A person's mistake is shown without a traceback."""
    return carry_out(_parser(), words)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mhi-phrases", description="Sort short texts, and learn from corrections.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser("classify", help="say which desk each text is for, and how sure that is")
    one.add_argument("text", nargs="+")
    one.set_defaults(run=_classify)

    one = commands.add_parser("correct", help="teach that a text has this label")
    one.add_argument("label")
    one.add_argument("text")
    one.set_defaults(run=_correct)

    one = commands.add_parser("rebuild", help="make the model again from the corpus and your corrections")
    one.set_defaults(run=_rebuild)

    one = commands.add_parser("corpus", help="print the corpus as CSV")
    one.set_defaults(run=_corpus)

    one = add_study(commands, "measure both models on one seed", _study, "five folds with a shuffle of its own")
    one.add_argument("--data", type=Path, help="a CSV file with the columns text, label and group")

    add_results(commands, "scores.svg", _results)
    return parser


def _classify(options: argparse.Namespace) -> int:
    from mhi_phrases.store import Store

    for text, (label, sure) in zip(options.text, Store().classify(options.text), strict=True):
        print(f"{label}\t{sure:.2f}\t{text}")
    return FINE


def _correct(options: argparse.Namespace) -> int:
    from mhi_phrases.store import Store

    Store().correct([Phrase(options.text, options.label, "correction")])
    return FINE


def _rebuild(_: argparse.Namespace) -> int:
    from mhi_phrases.store import Store

    store = Store()
    store.rebuild()
    print(f"{len(store.corrections())} corrections learnt again in {store.home}")
    return FINE


def _corpus(_: argparse.Namespace) -> int:
    rows = csv.DictWriter(sys.stdout, [field.name for field in fields(Phrase)])
    rows.writeheader()
    rows.writerows(asdict(phrase) for phrase in shipped())
    return FINE


def _study(options: argparse.Namespace, folder: Path) -> Run:
    from mhi_phrases.study import study

    return study(read_csv(options.data) if options.data else shipped(), options.seed, folder, options.rounds)


def _results(runs: Sequence[Path], output: Path) -> list[Path]:
    from mhi_phrases.results import write_results

    return write_results(runs, output)
