"""The numbers of the handbook's page: five seeds, the longer run, and both traps, each beside what is right.

Seconds are those of one core: the time of the process, so that a busy machine doesn't count. A part that was stopped
continues where it was.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from labhandbook.runs import HandbookError, Run, as_json, write_files
from mhi_selfplay.figures import FIGURE, draw
from mhi_selfplay.game import SECTION, Game, State
from mhi_selfplay.games import GAMES, InARow
from mhi_selfplay.learn import new_network, train
from mhi_selfplay.network import Network, evaluator
from mhi_selfplay.players import (
    Player,
    judge,
    match,
    mistakes,
    perfect_player,
    random_player,
    rollout_player,
    searcher,
)
from mhi_selfplay.settings import Settings, preset

SEEDS = range(5)
# Simulations of a trained network for each action, and of the rollouts it is held against.
SIMULATIONS = 100
Numbers = dict[str, Any]


class DrawsLose(InARow):
    """The mistake: tic-tac-toe in which a draw counts as a loss for both, in what is learnt and in the arena."""

    def __init__(self) -> None:
        super().__init__("tic-tac-toe", 3, 3, 3)

    def outcome(self, state: State) -> tuple[float, ...] | None:
        """As in the game, but nobody gets anything from a draw."""
        end = super().outcome(state)
        return (-1.0, -1.0) if end == (0.0, 0.0) else end


@dataclass(frozen=True)
class Trained:
    """A finished run: its accepted network, what was logged, and the lines lost after each iteration."""

    network: Network
    metrics: list[Numbers]
    curve: list[int]

    @property
    def seconds(self) -> float:
        """Of one core."""
        return float(sum(line["seconds"] for line in self.metrics))


def trained(folder: Path, settings: Settings, game: Game | None = None) -> Trained:
    """Train in `folder`, or take what was trained there; the network alone plays every line after each iteration.

    Raises HandbookError when the run was stopped.
    """
    rules = GAMES[settings.game]()
    file = folder / "curve.json"
    curve: dict[str, int] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}

    def watch(iteration: int, network: Network, facts: Numbers) -> None:
        if rules.small and rules.players == 2:
            curve[str(iteration)] = lines(rules, player_of(rules, network, settings, 0))["lost"]
            file.write_text(json.dumps(curve), encoding="utf-8")

    params = {name: value for name, value in asdict(settings).items() if name != "iterations"}
    with Run.open(folder, params, steps=settings.iterations) as run:
        network = train(run, settings, watch, game)
        if not run.finished:
            raise HandbookError("stopped", where=str(folder), section=SECTION, todo="start the command again")
        return Trained(network, run.metrics(), [curve[number] for number in sorted(curve, key=int)])


def player_of(game: Game, network: Network, settings: Settings, simulations: int) -> Player:
    """A network with so many simulations for each action."""
    return searcher(game, evaluator(game, network), settings.search(noise=False, simulations=simulations))


def lines(game: Game, player: Player, seats: Sequence[int] = (0, 1)) -> dict[str, int]:
    """All lines of the opponent, in these seats: how many there are, and how many are lost."""
    verdicts = [judge(game, player, seat) for seat in seats]
    return {"lines": sum(each.won + each.drawn + each.lost for each in verdicts),
            "lost": sum(each.lost for each in verdicts)}


def totals(found: Sequence[Numbers], *names: str) -> Numbers:
    """Sums over the seeds."""
    return {f"total-{name}": sum(each[name] for each in found) for name in names}


def tic_tac_toe(runs: Path) -> Numbers:
    """Five seeds: every line, forty games against perfect play; and rollouts without a network, on the same lines."""
    game, found = GAMES["tic-tac-toe"](), []
    for seed in SEEDS:
        settings = preset("tic-tac-toe", seed=seed)
        done = trained(runs / f"tic-tac-toe-{seed}", settings)
        player = player_of(game, done.network, settings, SIMULATIONS)
        alone = lines(game, player_of(game, done.network, settings, 0))
        tally = match(game, player, perfect_player(game, seed), 40, seed=seed)
        found.append({**lines(game, player), "alone": alone["lost"], "alone-lines": alone["lines"],
                      "drawn": tally.drawn, "seconds": round(done.seconds, 1), "curve": done.curve,
                      "accepted": sum(line["accepted"] for line in done.metrics)})
    rollouts = [lines(game, steady(rollout_player(game, SIMULATIONS, seed))) for seed in SEEDS]
    return {"iterations": preset("tic-tac-toe").iterations, "simulations": SIMULATIONS, "seeds": found,
            **totals(found, "lines", "lost", "alone", "alone-lines", "drawn", "accepted"), "games": 40 * len(found),
            "seconds": round(statistics.mean(each["seconds"] for each in found)),
            "rollout-lost": sum(each["lost"] for each in rollouts),
            "rollout-lines": sum(each["lines"] for each in rollouts)}


def steady(player: Player) -> Player:
    """A player that throws dice, made to answer equal positions equally."""
    known: dict[State, int] = {}

    def act(states: Sequence[State]) -> list[int]:
        fresh = [state for state in states if state not in known]
        known.update(zip(fresh, player(fresh), strict=True))
        return [known[state] for state in states]

    return act


def draws_lose(runs: Path) -> Numbers:
    """The first trap: the same five runs, but a draw is a loss for both, as where nobody has won nobody scores."""
    game, found = GAMES["tic-tac-toe"](), []
    for seed in SEEDS:
        settings = preset("tic-tac-toe", seed=seed)
        done = trained(runs / f"draws-lose-{seed}", settings, DrawsLose())
        found.append({**lines(game, player_of(game, done.network, settings, SIMULATIONS)), "alone": done.curve[-1],
                      "curve": done.curve, "accepted": sum(line["accepted"] for line in done.metrics)})
    return {"seeds": found, "candidates": len(SEEDS) * preset("tic-tac-toe").iterations,
            **totals(found, "lines", "lost", "alone", "accepted")}


def random_only(runs: Path) -> Numbers:
    """The second trap: three players with as much search each, held against random play and against every line."""
    game, settings = GAMES["tic-tac-toe"](), preset("tic-tac-toe")
    numbers: Numbers = {"games": 400, "simulations": SIMULATIONS}
    networks = {"trained": trained(runs / "tic-tac-toe-0", settings).network,
                "untrained": new_network(game, settings)}
    players = {name: player_of(game, network, settings, SIMULATIONS) for name, network in networks.items()}
    for name, player in {**players, "rollout": steady(rollout_player(game, SIMULATIONS, 0))}.items():
        tally = match(game, player, random_player(game, 1), numbers["games"])
        numbers[name] = {"percent": round(100 * tally.points, 1), "beaten": tally.lost, **lines(game, player)}
    return numbers


def floe(runs: Path) -> Numbers:
    """Two phases, five seeds: every line of who moves second, which can all be won; the other seat beside it."""
    game, found = GAMES["floe"](), []
    for seed in SEEDS:
        settings = preset("floe", seed=seed)
        done = trained(runs / f"floe-{seed}", settings)
        player = player_of(game, done.network, settings, SIMULATIONS)
        found.append({**lines(game, player, [0]), "seconds": round(done.seconds, 1),
                      "alone": lines(game, player_of(game, done.network, settings, 0), [0])["lost"]})
    fresh = player_of(game, new_network(game, preset("floe")), preset("floe"), SIMULATIONS)
    return {"iterations": preset("floe").iterations, "seeds": found, "untrained": lines(game, fresh, [0])["lost"],
            "untrained-lines": lines(game, fresh, [0])["lines"],
            **totals(found, "lines", "lost", "alone"),
            "seconds": round(statistics.mean(each["seconds"] for each in found))}


def nim_three(runs: Path) -> Numbers:
    """Three players, five seeds: mistakes in all positions, with and without search; and what has learnt nothing."""
    game, found = GAMES["nim-three"](), []
    for seed in SEEDS:
        settings = preset("nim-three", seed=seed)
        done = trained(runs / f"nim-three-{seed}", settings)
        found.append({name: mistakes(game, player_of(game, done.network, settings, simulations))[0]
                      for name, simulations in (("wrong", SIMULATIONS), ("alone", 0))}
                     | {"seconds": round(done.seconds, 1)})
    fresh = player_of(game, new_network(game, preset("nim-three")), preset("nim-three"), SIMULATIONS)
    wrong, positions = mistakes(game, fresh)
    return {"iterations": preset("nim-three").iterations, "seeds": found, "positions": positions,
            "total-positions": positions * len(found), "untrained": wrong, **totals(found, "wrong", "alone"),
            "random": mistakes(game, random_player(game, 0))[0],
            "seconds": round(statistics.mean(each["seconds"] for each in found))}


def connect_four(runs: Path) -> Numbers:
    """The longer run, one seed: against random play and against rollouts with as many simulations."""
    game, settings = GAMES["connect-four"](), preset("connect-four")
    done = trained(runs / "connect-four-0", settings)
    numbers: Numbers = {"iterations": settings.iterations, "seconds": round(done.seconds), "games": 40,
                        "simulations": SIMULATIONS, "parameters": sum(p.numel() for p in done.network.parameters())}
    players = {"trained": done.network, "untrained": new_network(game, settings)}
    others = {"random": random_player(game, 0), "rollout": rollout_player(game, SIMULATIONS, 0)}
    for name, network in players.items():
        for against, other in others.items():
            tally = match(game, player_of(game, network, settings, SIMULATIONS), other, numbers["games"], opening=2)
            numbers[f"{name}-{against}"] = {"won": tally.won, "drawn": tally.drawn, "lost": tally.lost}
    return numbers


PARTS: dict[str, Callable[[Path], Numbers]] = {
    "tic-tac-toe": tic_tac_toe, "random-only": random_only, "draws-lose": draws_lose, "floe": floe,
    "nim-three": nim_three, "connect-four": connect_four}
# How far a number may be off on another machine, where sums are rounded differently and games go other ways.
TOLERANCES: dict[str, Numbers] = {
    "tic-tac-toe": {"total-lost": 0, "total-drawn": 0, "total-alone": 40, "total-accepted": 12},
    "random-only": {"trained.percent": 4, "untrained.percent": 4, "rollout.percent": 4, "trained.lost": 0},
    "draws-lose": {"total-accepted": 15},
    "floe": {"total-lost": 0},
    "nim-three": {"total-wrong": 15, "total-alone": 150},
    "connect-four": {"trained-random.won": 3, "trained-rollout.won": 8}}


def results(file: Path, parts: Sequence[str], runs: Path) -> None:
    """Work out the parts (all, if none is named) in runs below `runs`, put their numbers into `file`, and draw them.

    Raises HandbookError when there is no such part, or when a run was stopped.
    """
    if unknown := sorted(set(parts) - PARTS.keys()):
        raise HandbookError(f"there is no part {unknown[0]}", section=SECTION, todo=f"choose of {', '.join(PARTS)}")
    for name in parts or PARTS:
        numbers = {**PARTS[name](runs), "tolerance": TOLERANCES[name]}
        known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        known[name] = numbers
        drawn = {FIGURE: draw(known)} if {"tic-tac-toe", "draws-lose"} <= known.keys() else {}
        write_files(file.parent, {file.name: as_json(known), **drawn})
        print(f"✓ {name}: {json.dumps(numbers)}", flush=True)
