"""The command `mhi-phrases`."""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from labhandbook.runs import HandbookError
from mhi_phrases.corpus import Phrase, read_csv, shipped
from mhi_phrases.errors import PhrasesError

FINE, COULD_NOT_RUN = 0, 2


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; the exit code. A person's mistake is one line, without a traceback."""
    options = _parser().parse_args(words)
    try:
        code: int = options.run(options)
    except PhrasesError as error:
        print(f"mhi-phrases: {error}", file=sys.stderr)
        return COULD_NOT_RUN
    except HandbookError as error:
        print(f"mhi-phrases: {error.what} ({error.where}); {error.todo}", file=sys.stderr)
        return COULD_NOT_RUN
    return code


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

    one = commands.add_parser("rebuild", help="make the model anew from the corpus and your corrections")
    one.set_defaults(run=_rebuild)

    one = commands.add_parser("corpus", help="print the corpus as CSV")
    one.set_defaults(run=_corpus)

    one = commands.add_parser("study", help="measure both models on one seed")
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--run", dest="folder", type=Path,
                     help="the run's directory (default: RUN_DIR, or runs/seed-SEED)")
    one.add_argument("--data", type=Path, help="a CSV file with the columns text, label and group")
    one.set_defaults(run=_study)

    one = commands.add_parser("results", help="gather finished runs into results.json and scores.svg")
    one.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    one.add_argument("--output", type=Path, default=Path(), help="the folder to write to (default: this one)")
    one.set_defaults(run=_results)
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


def _study(options: argparse.Namespace) -> int:
    from mhi_phrases.study import study

    phrases = read_csv(options.data) if options.data else shipped()
    folder = options.folder or Path(os.environ.get("RUN_DIR", f"runs/seed-{options.seed}"))
    run = study(phrases, options.seed, folder)
    if run.result:
        print(json.dumps(run.result, indent=2))
    return run.exit_code


def _results(options: argparse.Namespace) -> int:
    from mhi_phrases.results import write_results

    for path in write_results(options.runs, options.output):
        print(f"{path} written")
    return FINE
