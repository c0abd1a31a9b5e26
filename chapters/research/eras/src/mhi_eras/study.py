"""A sweep over models on past eras, the winner on eras that nothing was chosen by, and what the trap would have said.

One run is one seed, and a round is one sweep. A fit that is done is saved, so a run that is stopped continues behind
it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from labhandbook.runs import Checkpoint, HandbookError, Run
from mhi_eras.data import SECTION, Table, features, load
from mhi_eras.models import SWEEP, Fitted, fit
from mhi_eras.scores import score
from mhi_eras.split import EraSplit

HELD = 30      # last eras, kept out of every choice
EMBARGO = 4    # eras between what is learnt and what is tested
Fit = tuple[str, float, float, float]  # model, alpha, mean, Sharpe ratio


def sweep(seed: int, number: int) -> list[tuple[str, float]]:
    """The models of a round, each with its strength: in the first round a grid, later drawn anew.

    The logarithm of a strength is drawn evenly between the smallest and the largest of the grid (random search,
    Bergstra and Bengio, JMLR 13, 2012).
    """
    if number == 1:
        return [(name, alpha) for name, strengths in SWEEP.items() for alpha in strengths]
    rng = np.random.default_rng([seed, number])
    return [(name, float(np.exp(rng.uniform(np.log(min(strengths)), np.log(max(strengths))))))
            for name, strengths in SWEEP.items() for _ in strengths]


def study(source: Path, folder: Path, *, seed: int = 0, every: int = 1, rounds: int = 1,
          tell: Callable[[str], object] = lambda _: None) -> Run:
    """Run or continue the study of a Parquet file in `folder`; its result is there when the run is finished.

    `tell` is called with a line on each fit. The result names the best model of all rounds and has three scores of
    it: over the folds of the sweep, on the held eras, and on the very rows that it was fitted to. A finished run
    continues when more rounds are asked for. Raises HandbookError when the file has too few eras.
    """
    table = load(source, every=every)
    past, held = hold_out(table)
    try:
        folds = list(EraSplit(splits=3, valid=20, embargo=EMBARGO).split(past.x, groups=past.eras))
    except ValueError as error:
        raise HandbookError("the study needs more eras", where=str(source), section=SECTION,
                            why=f"after the {HELD} held eras and their embargo, {error}",
                            todo="take a training file, and a smaller --every") from None
    size = len(sweep(seed, 1))
    params = {"source": source.name, "rows": len(table.y), "seed": seed, "every": every}
    with Run.open(folder, params, rounds * size, ("--rounds", rounds)) as run:
        if run.finished:
            return run
        saved = run.latest()
        fits = saved.restore(partial(_read, seed)) if saved else []
        for step in range(len(fits) + 1, rounds * size + 1):
            if run.stopping:
                return run
            done, part = divmod(step - 1, size)
            name, alpha = sweep(seed, done + 1)[part]
            guessed = [fit(name, alpha, past.rows(learnt), seed).predict(past.x[tested]) for learnt, tested in folds]
            rows = np.concatenate([tested for _, tested in folds])
            found = score(np.concatenate(guessed), past.y[rows], past.eras[rows])
            fits.append((name, alpha, found.mean, found.sharpe))
            tell(f"{step}/{rounds * size} {name} {alpha:g}: mean {found.mean:.4f}, Sharpe {found.sharpe:.2f}")
            run.log(step, model=name, alpha=alpha, mean=found.mean, sharpe=found.sharpe)
            run.save(step, lambda place: (place / "kept.json").write_text(json.dumps({"fits": fits})))
        _finish(run, fits, past, held, features(source), seed)
        return run


def hold_out(table: Table) -> tuple[Table, Table]:
    """The past, and the last `HELD` eras; the embargo between them belongs to neither."""
    eras = np.unique(table.eras)
    return (table.rows(np.isin(table.eras, eras[:-HELD - EMBARGO])), table.rows(np.isin(table.eras, eras[-HELD:])))


def _read(seed: int, saved: Checkpoint) -> list[Fit]:
    """The fits that a checkpoint holds. Raises ValueError when they are not those of its steps."""
    size = len(sweep(seed, 1))
    asked = [pair for number in range(-(-saved.step // size)) for pair in sweep(seed, number + 1)][:saved.step]
    fits = json.loads((saved.folder / "kept.json").read_text())["fits"]
    if [name for name, *_ in fits] != [name for name, _ in asked]:
        raise ValueError("it does not hold the fits that are done")
    for (name, alpha, *scores), (_, expected) in zip(fits, asked, strict=True):
        if not math.isclose(alpha, expected, rel_tol=1e-6) or len(scores) != 2 or not all(map(math.isfinite, scores)):
            raise ValueError(f"the numbers of {name} with strength {alpha} are not of its fit")
    return [(name, float(alpha), float(mean), float(sharpe)) for name, alpha, mean, sharpe in fits]


def _finish(run: Run, fits: list[Fit], past: Table, held: Table, names: list[str], seed: int) -> None:
    """Fit the winner to all of the past, keep it, and write down its three scores."""
    name, alpha, mean, sharpe = max(fits, key=lambda one: one[3])
    model = fit(name, alpha, past, seed)
    Fitted.of(model, names).save(run.folder / "model.npz")
    after = score(model.predict(held.x), held.y, held.eras)
    trap = score(model.predict(past.x), past.y, past.eras)
    run.finish({"model": name, "alpha": alpha, "sweep": {"mean": mean, "sharpe": sharpe},
                "held": vars(after), "fitted-rows": vars(trap)})
