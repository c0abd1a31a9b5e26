"""Self-play against OpenSpiel's search in Python: simulations a second with one network, and lines lost.

Run it in the environment of `make test-research`, after `pip install open-spiel`:
`python tooling/bench/research_selfplay.py runs/tic-tac-toe-0`, where that run has been trained by
`mhi-selfplay train`. What counts is the ratio within one run. Times are those of the process on one core, so that a
busy machine doesn't count. research_alphazero.py compares whole trainings.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyspiel
import torch
from open_spiel.python.algorithms import mcts

from mhi_selfplay.cli import trained_player
from mhi_selfplay.game import Game, State
from mhi_selfplay.games import GAMES, cells_of
from mhi_selfplay.learn import new_network
from mhi_selfplay.network import Network, evaluator
from mhi_selfplay.players import Player, judge
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


def open_spiel_player(name: str, player: Any) -> Player:
    """A bot of OpenSpiel on our positions."""
    game = pyspiel.load_game(name.replace("-", "_"))

    def choose(state: State) -> int:
        signs = ["."] * math.prod(GAMES[name]().shape[1:])
        for sign, stones in zip("xo", state.board, strict=False):
            for cell in cells_of(stones):
                signs[cell] = sign
        board: dict[str, Any] = {"board": signs, "current_player": "xo"[state.player]}
        if name == "connect-four":  # its rows begin at the bottom
            board |= {"board": [signs[row:row + 7] for row in range(35, -1, -7)], "is_terminal": False, "winner": ""}
        return int(player.step(game.new_initial_state(json.dumps(board))))

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
                   open_spiel_player("tic-tac-toe", bot("tic_tac_toe", thinks, count)))
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


if __name__ == "__main__":
    main()
