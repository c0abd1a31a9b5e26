"""Self-play against OpenSpiel in Python: simulations a second with one network, games a second, and lines lost.

Run it in the environment of `make test-research`, after `pip install open-spiel`, and for the games of OpenSpiel's
AlphaZero, which is written in JAX, also `pip install jax flax optax chex orbax-checkpoint`:
`python tooling/bench/research_selfplay.py runs/tic-tac-toe-0`, where that run has been trained by
`mhi-selfplay train`. What counts is the ratio within one run. Times are those of the process on one core, so that a
busy machine doesn't count.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import asdict
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pyspiel
import torch
from open_spiel.python.algorithms import mcts
from open_spiel.python.utils import file_logger

from labhandbook.runs import Run
from mhi_selfplay.cli import trained_player
from mhi_selfplay.game import Game, State
from mhi_selfplay.games import GAMES, cells_of
from mhi_selfplay.learn import new_network, self_play, train
from mhi_selfplay.network import Network, evaluator
from mhi_selfplay.players import Player, judge, searcher
from mhi_selfplay.search import SearchSettings, search
from mhi_selfplay.settings import preset
from mhi_selfplay.study import steady

SIMULATIONS = 100


class Asked:
    """A network as OpenSpiel's search asks one: a position at a time. Answers are kept, as its own does."""

    def __init__(self, network: Network) -> None:
        self.network = network.eval()
        self.known: dict[bytes, tuple[Any, Any]] = {}

    @torch.inference_mode()  # type: ignore[untyped-decorator, unused-ignore]
    def _ask(self, state: Any) -> tuple[Any, Any]:
        cells = np.asarray(state.observation_tensor(0), dtype=np.float32)
        key, player = cells.tobytes(), state.current_player()
        if key not in self.known:
            planes = cells.reshape(state.get_game().observation_tensor_shape())
            both = torch.from_numpy(np.stack([planes[1 + player], planes[2 - player]]))[None]
            logits, values = self.network(both)
            self.known[key] = (torch.softmax(logits[0], dim=1)[0].numpy(), values[0].numpy())
        return self.known[key]

    def evaluate(self, state: Any) -> Any:
        """Values by player number."""
        values = self._ask(state)[1]
        return values if state.current_player() == 0 else values[::-1]

    def prior(self, state: Any) -> list[tuple[int, float]]:
        """Legal actions and their chances."""
        chances, legal = self._ask(state)[0], state.legal_actions()
        total = sum(chances[action] for action in legal)
        return [(action, chances[action] / total) for action in legal]


def bot(name: str, thinks: Any, simulations: int) -> Any:
    """OpenSpiel's search: PUCT with a network, UCT with rollouts."""
    puct = isinstance(thinks, Asked)
    return mcts.MCTSBot(pyspiel.load_game(name), 1.5 if puct else 2 ** 0.5, simulations, thinks, solve=False,
                        random_state=np.random.RandomState(0),
                        child_selection_fn=mcts.SearchNode.puct_value if puct else mcts.SearchNode.uct_value)


def ours(game: Game, states: Sequence[State], network: Network, together: int) -> float:
    """Simulations a second from these positions, so many at a time."""
    begin, ask = time.process_time(), evaluator(game, network)
    for start in range(0, len(states), together):
        search(game, states[start:start + together], ask, SearchSettings(SIMULATIONS, 1.5))
    return len(states) * SIMULATIONS / (time.process_time() - begin)


def theirs(name: str, positions: Sequence[Sequence[int]], thinks: Any) -> float:
    """The same for OpenSpiel, from positions given by their actions."""
    player, game = bot(name, thinks, SIMULATIONS), pyspiel.load_game(name)
    begin = time.process_time()
    for actions in positions:
        state = game.new_initial_state()
        for action in actions:
            state.apply_action(action)
        player.mcts_search(state)
    return len(positions) * SIMULATIONS / (time.process_time() - begin)


def our_games(name: str, games: int) -> float:
    """Games of self-play a second, side by side as an iteration plays them, from an untrained network."""
    game, settings = GAMES[name](), preset(name, simulations=SIMULATIONS, opening=0)
    ask = evaluator(game, new_network(game, settings))
    begin = time.process_time()
    self_play(game, ask, settings, games, np.random.default_rng(0))
    return games / (time.process_time() - begin)


def their_config(name: str, folder: str, **given: Any) -> Any:
    """The settings of OpenSpiel's AlphaZero, its network as wide and deep as ours, and what else is `given`."""
    from open_spiel.python.algorithms.alpha_zero import alpha_zero

    game, settings = pyspiel.load_game(name.replace("-", "_")), preset(name)
    return alpha_zero.Config(**{
        "game": game.get_type().short_name, "path": folder, "learning_rate": settings.learning_rate,
        "weight_decay": settings.weight_decay, "decouple_weight_decay": True, "train_batch_size": settings.batch,
        "replay_buffer_size": 4000, "replay_buffer_reuse": 10, "max_steps": 1, "checkpoint_freq": 1, "actors": 1,
        "evaluators": 0, "evaluation_window": 1, "eval_levels": 2, "uct_c": settings.cpuct,
        "max_simulations": SIMULATIONS, "policy_alpha": settings.noise_alpha, "policy_epsilon": settings.noise_share,
        "temperature": 1, "temperature_drop": settings.temperature_moves, "nn_model": "resnet",
        "nn_width": settings.channels, "nn_depth": settings.blocks, "verbose": False, "quiet": True,
        "observation_shape": game.observation_tensor_shape(), "output_size": game.num_distinct_actions(), **given})


def their_games(name: str, games: int) -> float:
    """The same for an actor of OpenSpiel's AlphaZero, its network as wide and deep; one game is played before."""
    from open_spiel.python.algorithms.alpha_zero import alpha_zero
    from open_spiel.python.algorithms.alpha_zero.evaluator import AlphaZeroEvaluator

    game = pyspiel.load_game(name.replace("-", "_"))
    with tempfile.TemporaryDirectory() as folder, file_logger.FileLogger(folder, "actor", quiet=True) as logger:
        config = their_config(name, folder)
        asks = AlphaZeroEvaluator(game, alpha_zero._init_model_from_config(config))
        bots = [alpha_zero._init_bot(config, game, asks, False)] * 2

        def play() -> None:
            alpha_zero._play_game(logger, 1, game, bots, config.temperature, config.temperature_drop)

        play()
        begin = time.process_time()
        for _ in range(games):
            play()
    return games / (time.process_time() - begin)


def their_training(name: str, games: int) -> tuple[Player, int, float]:
    """OpenSpiel's AlphaZero after about `games` games: its player, the games, and the seconds of all processes."""
    from open_spiel.python.algorithms.alpha_zero import alpha_zero
    from open_spiel.python.algorithms.alpha_zero.evaluator import AlphaZeroEvaluator

    settings, before = preset(name), _seconds()
    with tempfile.TemporaryDirectory() as folder:
        # A step learns after 400 positions, which are 45 to 55 games of tic-tac-toe.
        steps = games // 45
        config = their_config(name, folder, max_steps=steps, checkpoint_freq=steps,
                              max_simulations=settings.simulations)
        with redirect_stdout(StringIO()):
            alpha_zero.alpha_zero(config)
        spent = _seconds() - before
        last = (Path(folder) / "learner.jsonl").read_text(encoding="utf-8").splitlines()[-1]
        model = alpha_zero._init_model_from_config(config)
        model.load_checkpoint(steps)
    game = pyspiel.load_game(name.replace("-", "_"))
    thinks = alpha_zero._init_bot(config, game, AlphaZeroEvaluator(game, model), True)
    return open_spiel_player(thinks), json.loads(last)["total_trajectories"], spent


def our_training(name: str) -> tuple[Player, int, float]:
    """The same for this project with its preset for the game."""
    game, settings, before = GAMES[name](), preset(name), _seconds()
    with tempfile.TemporaryDirectory() as folder:
        with Run.open(Path(folder) / "run", asdict(settings), steps=settings.iterations) as run:
            network = train(run, settings)
        spent = _seconds() - before
    player = searcher(game, evaluator(game, network), settings.search(noise=False))
    return player, settings.iterations * settings.games + settings.warm_games, spent


def _seconds() -> float:
    """Processor time of this process and of those that it waited for."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def openings(game: Game, count: int) -> list[list[int]]:
    """Actions that lead to positions which are not the end."""
    rng, found = np.random.default_rng(0), list[list[int]]()
    while len(found) < count:
        state, actions = game.start(), []
        for _ in range(int(rng.integers(4))):
            actions.append(int(rng.choice(game.legal(state))))
            state = game.play(state, actions[-1])
        found.append(actions)
    return found


def open_spiel_player(player: Any) -> Player:
    """A bot of OpenSpiel on our positions of tic-tac-toe."""
    game = pyspiel.load_game("tic_tac_toe")

    def choose(state: State) -> int:
        stones = [list(cells_of(bits)) for bits in state.board[:2]]
        there = game.new_initial_state()
        for number in range(sum(map(len, stones))):
            there.apply_action(stones[number % 2][number // 2])
        return int(player.step(there))

    return lambda states: [choose(state) for state in states]


def lost(player: Player) -> tuple[int, int, float]:
    """Lines lost, all lines, and milliseconds an action."""
    game, asked = GAMES["tic-tac-toe"](), 0

    def counting(states: Sequence[State]) -> list[int]:
        nonlocal asked
        asked += len(states)
        answers: list[int] = player(states)
        return answers

    begin = time.process_time()
    verdicts = [judge(game, steady(counting), seat) for seat in (0, 1)]
    seconds = time.process_time() - begin
    return (sum(each.lost for each in verdicts), sum(each.won + each.drawn + each.lost for each in verdicts),
            1000 * seconds / asked)


def played() -> None:
    """Print the games a second of both."""
    print("\n| Game | Games a second, this | OpenSpiel's AlphaZero | Ratio |\n|---|---|---|---|")
    for name, ours, theirs in (("tic-tac-toe", 50, 10), ("connect-four", 20, 2)):
        rates = our_games(name, ours), their_games(name, theirs)
        print(f"| {name} | {rates[0]:.2f} | {rates[1]:.3f} | {rates[0] / rates[1]:.1f} |", flush=True)


def trained() -> None:
    """Print what both lose after about as many games, with the simulations of our preset an action."""
    print("\n| Trained on tic-tac-toe | Games | Seconds | Lines lost | of |\n|---|---|---|---|---|")
    name, games = "tic-tac-toe", 0
    for title in ("this", "OpenSpiel's AlphaZero"):
        player, games, seconds = our_training(name) if title == "this" else their_training(name, games)
        number, lines, _ = lost(player)
        print(f"| {title} | {games} | {seconds:,.0f} | {number} | {lines} |", flush=True)


def searches() -> None:
    """Print the simulations a second of both with one network."""
    print(f"{SIMULATIONS} simulations an action, the same network for both\n\n"
          "| Search | Game | Simulations a second | Ratio |\n|---|---|---|---|")
    for name, count in (("connect-four", 24), ("tic-tac-toe", 24)):
        game = GAMES[name]()
        network = new_network(game, preset(name))
        positions = openings(game, count)
        states = []
        for actions in positions:
            state = game.start()
            for action in actions:
                state = game.play(state, action)
            states.append(state)

        base = theirs(name.replace("-", "_"), positions, Asked(network))
        rows = [("OpenSpiel, Python", base), ("this, one game", ours(game, states, network, 1)),
                (f"this, {count} games", ours(game, states, network, count))]
        for title, rate in rows:
            print(f"| {title} | {name} | {rate:,.0f} | {rate / base:.1f} |", flush=True)


def players(run: Path) -> None:
    """Print what the trained network of `run` loses, and OpenSpiel's search without a network."""
    print("\n| Player of tic-tac-toe | Lines lost | of | ms an action |\n|---|---|---|---|")
    thinks = mcts.RandomRolloutEvaluator(1, np.random.RandomState(0))
    compared = [(f"this, trained, {SIMULATIONS} simulations",
                trained_player(GAMES["tic-tac-toe"](), run, SIMULATIONS)),
                *((f"OpenSpiel, rollouts, {count} simulations",
                   open_spiel_player(bot("tic_tac_toe", thinks, count)))
                  for count in (100, 300, 1000))]
    for title, player in compared:
        number, lines, each = lost(player)
        print(f"| {title} | {number} | {lines} | {each:.1f} |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="a trained run of tic-tac-toe")
    given = parser.parse_args()
    torch.set_num_threads(1)
    searches()
    players(given.run)
    if lacking := [name for name in ("jax", "flax", "optax", "chex", "orbax") if find_spec(name) is None]:
        return print(f"\nOpenSpiel's AlphaZero is left out: it needs {', '.join(lacking)}")
    played()
    trained()


if __name__ == "__main__":
    main()
