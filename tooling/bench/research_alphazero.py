"""Self-play against OpenSpiel's AlphaZero, both trained: games a second, lines lost, and who wins connect four.

Run it in the environment of `make test-research`, after `pip install open-spiel jax flax optax chex orbax-checkpoint`
(OpenSpiel's AlphaZero is written in JAX): `python -m tooling.bench.research_alphazero`. It takes about an hour. What
counts is the ratio within one run. Seconds are those of the processor, of all processes.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from contextlib import redirect_stdout
from dataclasses import asdict
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pyspiel
import torch
from open_spiel.python.algorithms.alpha_zero import alpha_zero
from open_spiel.python.algorithms.alpha_zero.evaluator import AlphaZeroEvaluator
from open_spiel.python.utils import file_logger

from labhandbook.runs import Run
from mhi_selfplay.games import GAMES
from mhi_selfplay.learn import new_network, self_play, train
from mhi_selfplay.network import evaluator
from mhi_selfplay.players import Player, match, random_player, searcher
from mhi_selfplay.settings import preset
from tooling.bench.research_selfplay import SIMULATIONS, lost, open_spiel_player


def our_games(name: str, games: int) -> float:
    """Games of self-play a second, side by side as an iteration plays them, from an untrained network."""
    game, settings = GAMES[name](), preset(name, simulations=SIMULATIONS, opening=0)
    ask = evaluator(game, new_network(game, settings))
    begin = time.process_time()
    self_play(game, ask, settings, games, np.random.default_rng(0))
    return games / (time.process_time() - begin)


def their_config(name: str, folder: str, **given: Any) -> Any:
    """The settings of OpenSpiel's AlphaZero, its network as wide and deep as ours, and what else is `given`."""
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


def their_training(name: str, steps: int) -> tuple[Player, int, float]:
    """OpenSpiel's AlphaZero after so many steps: its player, its games, and the seconds of all processes.

    A step learns after 400 positions, which are 45 to 55 games of tic-tac-toe and 11 to 20 of connect four.
    """
    settings, before = preset(name), _seconds()
    with tempfile.TemporaryDirectory() as folder:
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
    return open_spiel_player(name, thinks), json.loads(last)["total_trajectories"], spent


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


def played() -> None:
    """Print the games a second of both."""
    print("\n| Game | Games a second, this | OpenSpiel's AlphaZero | Ratio |\n|---|---|---|---|")
    for name, ours, theirs in (("tic-tac-toe", 50, 10), ("connect-four", 20, 2)):
        rates = our_games(name, ours), their_games(name, theirs)
        print(f"| {name} | {rates[0]:.2f} | {rates[1]:.3f} | {rates[0] / rates[1]:.1f} |", flush=True)


def trained() -> None:
    """Print what both lose after about as many games, and who wins connect four when theirs has more time.

    Both have the simulations of our preset an action.
    """
    print("\n| Trained on tic-tac-toe | Games | Seconds | Lines lost | of |\n|---|---|---|---|---|")
    player, games, seconds = our_training("tic-tac-toe")
    rows = [("this", player, games, seconds), ("OpenSpiel's AlphaZero", *their_training("tic-tac-toe", games // 45))]
    for title, player, games, seconds in rows:
        number, lines, _ = lost(player)
        print(f"| {title} | {games} | {seconds:,.0f} | {number} | {lines} |", flush=True)
    name = "connect-four"
    ours, games, seconds = our_training(name)
    theirs, their_number, their_seconds = their_training(name, 2)
    print(f"\nTrained on connect four: this, {games} games in {seconds:,.0f} s; OpenSpiel's AlphaZero, "
          f"{their_number} games in {their_seconds:,.0f} s\n\n"
          "| Player | Against | Won | Drawn | Lost |\n|---|---|---|---|---|")
    game = GAMES[name]()
    for title, player, against, other in (
            ("this", ours, "OpenSpiel's AlphaZero", theirs), ("OpenSpiel's AlphaZero", theirs, "random play",
                                                              random_player(game, 0))):
        tally = match(game, player, other, 20, opening=4)
        print(f"| {title} | {against} | {tally.won} | {tally.drawn} | {tally.lost} |", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    played()
    trained()
