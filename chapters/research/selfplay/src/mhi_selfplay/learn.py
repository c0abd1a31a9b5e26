"""AlphaZero's loop: play against yourself, learn from it, keep the new network if it's no worse, and begin again.

Sources: Silver et al. 2017 (the loop with its arena, Methods) and Silver et al. 2018. One iteration is the unit that
survives: each draws its random numbers from the seed and its own number, so an iteration that is done again after a
kill is the same one.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from labhandbook.runs import HandbookError, Run, read_checkpoint
from mhi_selfplay.game import SECTION, Game, State, relative
from mhi_selfplay.games import GAMES
from mhi_selfplay.network import Arrays, Network, digest, evaluator, put_weights, read_arrays, weights_of
from mhi_selfplay.players import Tally, check_games, match, random_opening, searcher
from mhi_selfplay.search import Evaluate, policy, search
from mhi_selfplay.settings import Settings

WEIGHTS, HISTORY, ABOUT = "weights.npz", "history.npz", "about.json"
# A history file that says it is longer than this is not read.
LIMIT = 4 << 30
# Called with an iteration's number, the network that is accepted after it, and what is logged.
Watch = Callable[[int, Network, dict[str, Any]], None]


class Stopped(Exception):
    """The run was asked to stop in the middle of an iteration."""


# Self-play


def self_play(game: Game, evaluate: Evaluate | None, settings: Settings, games: int, rng: np.random.Generator,
              stopping: Callable[[], bool] = lambda: False) -> Arrays:
    """Play `games` against itself, side by side, and return one example for each decision. No network: random play.

    planes  int8 (positions, planes, rows, columns), canonical;
    phase   int8 (positions,);
    policy  float32 (positions, greatest number of actions), what the search found, 0 beyond the phase's actions;
    values  float32 (positions, players), how the game ended, relative to who decided.
    """
    states = [random_opening(game, int(rng.integers(settings.opening + 1)), rng) for _ in range(games)]
    moves: list[list[tuple[State, Any]]] = [[] for _ in states]
    ends: dict[int, tuple[float, ...]] = {}
    while len(ends) < games:
        if stopping():
            raise Stopped
        open_games = [number for number in range(games) if number not in ends]
        for number, opinion in zip(open_games, _opinions(game, evaluate, settings, [states[n] for n in open_games],
                                                         len(moves[open_games[0]]), rng), strict=True):
            state = states[number]
            target, chances = opinion
            moves[number].append((state, target))
            states[number] = game.play(state, int(rng.choice(len(chances), p=chances / chances.sum())))
            end = game.outcome(states[number])
            if end is not None:
                ends[number] = end
    return _examples(game, [(state, target, ends[number]) for number in range(games)
                            for state, target in moves[number]])


def _opinions(game: Game, evaluate: Evaluate | None, settings: Settings, states: Sequence[State], moves: int,
              rng: np.random.Generator) -> list[tuple[Any, Any]]:
    """For each position what is to be learnt, and the chances by which the action is drawn (float64)."""
    if evaluate is None:
        equal = [np.isin(np.arange(game.actions[state.phase]), game.legal(state)).astype(np.float32)
                 for state in states]
        return [(each / each.sum(), each.astype(np.float64)) for each in equal]
    roots = search(game, states, evaluate, settings.search(noise=True), rng)
    temperature = 1.0 if moves < settings.temperature_moves else 0.0
    found = []
    for root in roots:
        actions = game.actions[root.state.phase]
        found.append((policy(root, actions, 1.0), policy(root, actions, temperature).astype(np.float64)))
    return found


def _examples(game: Game, decisions: Sequence[tuple[State, Any, tuple[float, ...]]]) -> Arrays:
    policies = np.zeros((len(decisions), max(game.actions)), dtype=np.float32)
    for row, (_, target, _) in enumerate(decisions):
        policies[row, :len(target)] = target
    return {"planes": np.stack([game.planes(state) for state, _, _ in decisions]).astype(np.int8),
            "phase": np.array([state.phase for state, _, _ in decisions], dtype=np.int8),
            "policy": policies,
            "values": np.stack([relative(end, state.player) for state, _, end in decisions])}


def join(history: Sequence[Arrays], queue: int) -> Arrays:
    """The newest `queue` examples of a history, oldest first."""
    return {name: np.concatenate([part[name] for part in history])[-queue:] for name in history[0]}


# Learning


def fit(game: Game, network: Network, examples: Arrays, settings: Settings, rng: np.random.Generator,
        stopping: Callable[[], bool] = lambda: False) -> dict[str, float]:
    """Teach `network` the examples, each in a random symmetry in every epoch; the mean losses of the last epoch.

    The loss is (z - v)^2 - pi log p (Silver et al. 2017, equation 1; z and v have a value for each player, of which
    the mean is taken), the weight decay is Adam's. What is drawn (order, symmetry, dropout) comes from `rng`.
    """
    torch.manual_seed(int(rng.integers(2**63)))
    optimiser = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    count = len(examples["phase"])
    network.train()
    losses: list[tuple[float, float]] = []
    for _ in range(settings.epochs):
        losses = []
        seen = _turned(game, examples, rng.integers(len(game.symmetries), size=count))
        order = rng.permutation(count)
        for start in range(0, max(1, count - 1), settings.batch):
            if stopping():
                raise Stopped
            rows = torch.from_numpy(order[start:start + settings.batch])
            phase, target = seen["phase"][rows], seen["policy"][rows]
            logits, values = network(seen["planes"][rows].float())
            policy_loss = torch.zeros(())
            for number, each in enumerate(logits):
                loss = -(target[:, :each.shape[1]] * torch.log_softmax(each, dim=1)).sum(dim=1)
                policy_loss = policy_loss + loss[phase == number].sum() / len(rows)
            value_loss = nn.functional.mse_loss(values, seen["values"][rows])
            optimiser.zero_grad()
            (policy_loss + value_loss).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append((policy_loss.item(), value_loss.item()))
    mean = np.mean(losses, axis=0)
    return {"policy_loss": float(mean[0]), "value_loss": float(mean[1])}


def _turned(game: Game, examples: Arrays, which: Any) -> dict[str, torch.Tensor]:
    """The examples, row `i` as symmetry `which[i]` shows it."""
    turned = {name: array.copy() for name, array in examples.items()}
    for number, symmetry in enumerate(game.symmetries):
        turned["planes"][which == number] = symmetry.of_planes(examples["planes"][which == number])
        for phase, actions in enumerate(game.actions):
            rows = (which == number) & (examples["phase"] == phase)
            turned["policy"][rows, :actions] = symmetry.of_policy(examples["policy"][rows, :actions], phase)
    return {name: torch.from_numpy(array) for name, array in turned.items()}


# The loop


def train(run: Run, settings: Settings, watch: Watch = lambda iteration, network, facts: None,
          game: Game | None = None) -> Network:
    """Carry the run on from its last checkpoint to its end, or until it is asked to stop; the accepted network.

    `watch` is called after every iteration. `game` replaces the one that the settings name.
    """
    torch.set_num_threads(1)
    game = game or GAMES[settings.game]()
    check_games(game, settings.arena_games)
    network, history, done = _begin(run, game, settings)
    if run.finished:
        return network
    try:
        if not done and settings.warm_games:
            rng = np.random.default_rng([settings.seed, 0])
            history = [self_play(game, None, settings, settings.warm_games, rng)]
            fit(game, network, history[0], settings, rng, lambda: run.stopping)
        for iteration in range(done + 1, settings.iterations + 1):
            network, history, facts = _iterate(game, network, history, settings, iteration, lambda: run.stopping)
            run.log(iteration, **facts)
            state = partial(save, game=game, settings=settings, network=network, history=history, iteration=iteration)
            run.save(iteration, state, best=bool(facts["accepted"]))
            watch(iteration, network, facts)
    except Stopped:
        return network
    run.finish({"iterations": settings.iterations, "weights": digest(weights_of(network)),
                "history": digest(join(history, settings.queue))})
    return network


def _iterate(game: Game, network: Network, history: list[Arrays], settings: Settings, iteration: int,
             stopping: Callable[[], bool]) -> tuple[Network, list[Arrays], dict[str, Any]]:
    """One iteration: the network that is accepted after it, the history, and what is logged."""
    since = time.process_time()
    rng = np.random.default_rng([settings.seed, iteration])
    old = evaluator(game, network)
    history = [*history, self_play(game, old, settings, settings.games, rng, stopping)][-settings.history:]
    examples = join(history, settings.queue)
    candidate = copy.deepcopy(network)
    losses = fit(game, candidate, examples, settings, rng, stopping)
    tally = compare(game, evaluator(game, candidate), old, settings, int(rng.integers(2**63)))
    accepted = tally.points >= settings.threshold
    network = candidate if accepted else network
    return network, history, {
        "positions": len(examples["phase"]), **losses, "won": tally.won, "drawn": tally.drawn, "lost": tally.lost,
        "points": tally.points, "accepted": accepted, "weights": digest(weights_of(network))[:16],
        "seconds": round(time.process_time() - since, 2)}


def compare(game: Game, candidate: Evaluate, old: Evaluate, settings: Settings, seed: int) -> Tally:
    """The arena: the candidate against the network that is accepted so far."""
    how = settings.search(noise=False)
    return match(game, searcher(game, candidate, how), searcher(game, old, how), settings.arena_games,
                 opening=settings.arena_opening, seed=seed)


# Checkpoints


def save(folder: Path, game: Game, settings: Settings, network: Network, history: Sequence[Arrays],
         iteration: int) -> None:
    """Write a checkpoint into an empty folder: the accepted network, what it was learnt from, and what it is."""
    weights: dict[str, Any] = dict(weights_of(network))
    np.savez(folder / WEIGHTS, **weights)
    parts: dict[str, Any] = {f"{number}/{name}": array for number, part in enumerate(history)
                             for name, array in part.items()}
    np.savez_compressed(folder / HISTORY, **parts)
    about = {"game": game.name, "iteration": iteration, "settings": asdict(settings)}
    (folder / ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def load(folder: Path, game: Game, settings: Settings) -> Network:
    """The network of a checkpoint. Raises HandbookError when the file is damaged, hostile, or another game's."""
    network = new_network(game, settings)
    expected = sum(array.nbytes + 1024 for array in weights_of(network).values())
    put_weights(network, read_arrays(folder / WEIGHTS, expected), folder / WEIGHTS)
    return network


def load_history(folder: Path, game: Game) -> list[Arrays]:
    """The history of a checkpoint, oldest iteration first. Raises HandbookError when the file can't be trusted."""
    parts: dict[str, Arrays] = {}
    for name, array in read_arrays(folder / HISTORY, LIMIT).items():
        number, _, part = name.partition("/")
        parts.setdefault(number, {})[part] = array
    width = max(game.actions)
    shapes = {"planes": ("i1", game.shape), "phase": ("i1", ()), "policy": ("f4", (width,)),
              "values": ("f4", (game.players,))}
    for number, arrays in parts.items():
        found = {name: (array.dtype.str[1:], array.shape[1:]) for name, array in arrays.items()}
        if not number.isdigit() or found != shapes or len({len(array) for array in arrays.values()}) != 1:
            raise HandbookError(f"part {number!r} is no self-play history of {game.name}",
                                where=str(folder / HISTORY), why="the network would learn from it", section=SECTION,
                                todo="take an earlier checkpoint")
    return [parts[number] for number in sorted(parts, key=int)]


def read_about(folder: Path) -> Settings:
    """The settings that a checkpoint was made with. Raises HandbookError when they can't be read."""
    try:
        values = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        return Settings(**values["settings"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise HandbookError(f"{ABOUT} can't be read: {error}", where=str(folder / ABOUT), section=SECTION,
                            why="it says which game and which network this is",
                            todo="name a checkpoint or a run directory of mhi-selfplay") from None


def newest(folder: Path) -> Path:
    """The last whole checkpoint of a run directory, or the folder itself where it is a checkpoint.

    Raises HandbookError when it is neither.
    """
    if (folder / ABOUT).exists():
        return folder
    saved = read_checkpoint(folder)
    if saved is None:
        raise HandbookError("there is no checkpoint here", where=str(folder), section=SECTION,
                            todo="name a run directory of mhi-selfplay train that has ended its first iteration")
    return saved.folder


def new_network(game: Game, settings: Settings) -> Network:
    """A network with fresh weights, the same for the same seed."""
    torch.manual_seed(settings.seed)
    return Network(game, settings.channels, settings.blocks, settings.dropout)


def _begin(run: Run, game: Game, settings: Settings) -> tuple[Network, list[Arrays], int]:
    """Network, history and the number of finished iterations: fresh, or of the last checkpoint."""
    last = run.latest()
    if last is None:
        return new_network(game, settings), [], 0
    return load(last.folder, game, settings), load_history(last.folder, game), last.step
