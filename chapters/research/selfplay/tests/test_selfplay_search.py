"""The search against a tree worked out by hand, and what it promises beside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from mhi_selfplay.game import Floats, Game, State, Symmetry
from mhi_selfplay.games import Floe, connect_four, tic_tac_toe
from mhi_selfplay.players import searcher, solve
from mhi_selfplay.search import Evaluate, SearchSettings, masked, policy, search

Answer = tuple[Floats, Floats]


class Tree(Game):
    """A game given by its tree: node -> (player, children) or node -> outcome."""

    name, actions, shape = "tree", (2,), (1, 1, 1)
    symmetries: Sequence[Symmetry] = ()

    def __init__(self, nodes: dict[str, tuple[int, str]], ends: dict[str, tuple[float, ...]]) -> None:
        self.nodes, self.ends = nodes, ends
        self.names = [*nodes, *ends]

    def state(self, name: str) -> State:
        return State(self.nodes[name][0] if name in self.nodes else 0, 0, (self.names.index(name),))

    def of(self, state: State) -> str:
        return self.names[state.board[0]]

    def start(self) -> State:
        return self.state(self.names[0])

    def legal(self, state: State) -> list[int]:
        return list(range(len(self.nodes[self.of(state)][1].split())))

    def play(self, state: State, action: int) -> State:
        return self.state(self.nodes[self.of(state)][1].split()[action])

    def outcome(self, state: State) -> tuple[float, ...] | None:
        return self.ends.get(self.of(state))

    def planes(self, state: State) -> Floats:
        return np.zeros((1, 1, 1), dtype=np.float32)

    def show(self, state: State) -> str:
        return self.of(state)


def answering(game: Tree, answers: dict[str, tuple[list[float], list[float]]]) -> Evaluate:
    def evaluate(states: Sequence[State]) -> list[Answer]:
        return [(np.array(answers[game.of(state)][0], dtype=np.float32),
                 np.array(answers[game.of(state)][1], dtype=np.float32)) for state in states]
    return evaluate


def even(game: Game) -> Evaluate:
    """Every legal action is as likely, every position worth nothing."""
    def evaluate(states: Sequence[State]) -> list[Answer]:
        return [(masked(np.ones(game.actions[state.phase], dtype=np.float32), game.legal(state)),
                 np.zeros(game.players, dtype=np.float32)) for state in states]
    return evaluate


HAND = Tree({"r": (0, "a b"), "a": (1, "a1 a2"), "b": (1, "b1 b2")},
            {"a1": (-1.0, 1.0), "a2": (1.0, -1.0), "b1": (0.0, 0.0), "b2": (1.0, -1.0)})
OPINION = answering(HAND, {"r": ([0.6, 0.4], [0.0, 0.0]), "a": ([0.5, 0.5], [0.2, -0.2]),
                           "b": ([0.9, 0.1], [0.5, -0.5])})


# After n simulations with c = 1: visits and sums of values of (r,a), (r,b), (a,a1), (b,b1). By hand, from (PUCT):
#   1  r: a 0.6 * sqrt 1 = 0.6          b 0.4                      -> a, new, worth 0.2
#   2  r: a 0.2 + 0.6 * sqrt 2 / 2 = 0.624   b 0.4 * sqrt 2 = 0.566     -> a; there a1 = a2 -> a1, lost: -1 for r
#   3  r: a -0.4 + 0.6 * sqrt 3 / 3 = -0.054  b 0.4 * sqrt 3 = 0.693     -> b, new, worth 0.5
#   4  r: a -0.4 + 0.6 * 2 / 3 = 0       b 0.5 + 0.4 * 2 / 2 = 0.9      -> b; in b b1 0.9 against 0.1 -> b1, drawn
#   5  r: a 0.047   b 0.25 + 0.4 * sqrt 5 / 3 = 0.548                   -> b; b1 0.9 * sqrt 2 / 2 = 0.64 -> b1
@pytest.mark.parametrize(("simulations", "visits", "sums"), [
    (1, (1, 0, 0, 0), (0.2, 0, 0, 0)), (2, (2, 0, 1, 0), (-0.8, 0, 1, 0)), (3, (2, 1, 1, 0), (-0.8, 0.5, 1, 0)),
    (4, (2, 2, 1, 1), (-0.8, 0.5, 1, 0)), (5, (2, 3, 1, 2), (-0.8, 0.5, 1, 0))])
def test_tree_is_the_one_worked_out_by_hand(simulations: int, visits: tuple[int, ...],
                                            sums: tuple[float, ...]) -> None:
    (root,) = search(HAND, [HAND.start()], OPINION, SearchSettings(simulations, cpuct=1.0))
    a, b = root.edges
    a1 = a.child.edges[0] if a.child and a.child.edges else None
    b1 = b.child.edges[0] if b.child and b.child.edges else None
    found = [a, b, a1, b1]
    assert tuple(edge.visits if edge else 0 for edge in found) == visits
    assert [edge.total if edge else 0 for edge in found] == pytest.approx(list(sums), abs=1e-6)
    assert root.visits == simulations + 1


def test_depth_limit_ends_a_path_with_what_the_network_said() -> None:
    (root,) = search(HAND, [HAND.start()], OPINION, SearchSettings(20, cpuct=1.0, depth=1))
    a, b = root.edges
    assert a.visits + b.visits == 20
    assert a.total == pytest.approx(0.2 * a.visits) and b.total == pytest.approx(0.5 * b.visits)
    assert all(edge.visits == 0 for each in (a, b) if each.child for edge in each.child.edges)


def test_player_who_decides_twice_keeps_the_sign() -> None:
    # r and a belong to player 0: the win behind a is good news in both. Flipping the sign at each ply would avoid it.
    game = Tree({"r": (0, "a b"), "a": (0, "win b")}, {"win": (1.0, -1.0), "b": (0.0, 0.0)})
    opinion = answering(game, {"r": ([0.5, 0.5], [0, 0]), "a": ([0.5, 0.5], [0, 0])})
    (root,) = search(game, [game.start()], opinion, SearchSettings(60, cpuct=1.0))
    assert root.edges[0].visits > 50


def test_three_players_each_look_after_themselves() -> None:
    # Player 1 would take the end that is best for player 1, which is bad for player 0: so player 0 goes to b.
    game = Tree({"r": (0, "a b"), "a": (1, "x y"), "b": (2, "u v")},
                {"x": (1.0, -1.0, -1.0), "y": (-1.0, 1.0, -1.0), "u": (0.5, -1.0, 1.0), "v": (-1.0, 1.0, -1.0)})
    game.players = 3
    assert solve(game)(game.start()) == (0.5, -1.0, 1.0)
    (root,) = search(game, [game.start()], even(game), SearchSettings(200, cpuct=1.0))
    assert root.edges[1].visits > 150


def test_many_trees_side_by_side_are_the_trees_one_by_one() -> None:
    game = tic_tac_toe()
    states = [game.start(), game.play(game.start(), 4), game.play(game.play(game.start(), 0), 8)]
    settings = SearchSettings(40)
    together = search(game, states, even(game), settings)
    for state, root in zip(states, together, strict=True):
        (alone,) = search(game, [state], even(game), settings)
        assert root.visit_counts(9).tolist() == alone.visit_counts(9).tolist()


@pytest.mark.parametrize("moves", [[0, 3, 1, 4], [3, 0, 6, 1, 8]], ids=["win at once", "hinder at once"])
def test_search_alone_finds_the_only_move(moves: list[int]) -> None:
    game = tic_tac_toe()
    state = game.start()
    for move in moves:
        state = game.play(state, move)
    assert searcher(game, even(game), SearchSettings(200, cpuct=1.0))([state]) == [2]


def test_noise_mixes_a_dirichlet_draw_into_the_root_and_nowhere_else() -> None:
    game = tic_tac_toe()
    settings = SearchSettings(20, noise_alpha=0.5, noise_share=0.25)
    (root,) = search(game, [game.start()], even(game), settings, np.random.default_rng(3))
    draw = np.random.default_rng(3).dirichlet([0.5] * 9)
    assert [edge.prior for edge in root.edges] == pytest.approx(list(0.75 / 9 + 0.25 * draw))
    child = next(edge.child for edge in root.edges if edge.child and edge.child.edges)
    assert [edge.prior for edge in child.edges] == pytest.approx([1 / 8] * 8)
    (quiet,) = search(game, [game.start()], even(game), settings)
    assert [edge.prior for edge in quiet.edges] == pytest.approx([1 / 9] * 9)


def test_mask_keeps_the_proportions_of_what_is_legal() -> None:
    kept = masked(np.array([0.5, 0.3, 0.1, 0.1], dtype=np.float32), [1, 3])
    assert kept.tolist() == pytest.approx([0, 0.75, 0, 0.25])


@pytest.mark.parametrize("said", [[1, 0, 0], [np.nan, np.nan, np.nan], [0, np.inf, 0]])
def test_mask_falls_back_to_equal_chances(said: list[float]) -> None:
    assert masked(np.array(said, dtype=np.float32), [1, 2]).tolist() == [0, 0.5, 0.5]


def test_search_never_takes_an_illegal_action() -> None:
    game = connect_four()
    state = game.start()
    for action in [3, 3, 3, 3, 3, 3, 0, 6]:
        state = game.play(state, action)
    (root,) = search(game, [state], even(game), SearchSettings(100))
    counts = root.visit_counts(7)
    assert counts[3] == 0 and counts.sum() == 100


def test_temperature() -> None:
    (root,) = search(HAND, [HAND.start()], OPINION, SearchSettings(5, cpuct=1.0))
    assert policy(root, 2, 1.0).tolist() == pytest.approx([2 / 5, 3 / 5])
    assert policy(root, 2, 0.5).tolist() == pytest.approx([4 / 13, 9 / 13])
    assert policy(root, 2, 0.0).tolist() == [0, 1]


def test_phases_have_their_own_actions() -> None:
    game = Floe()
    stepped = game.play(game.start(), 4)
    roots = search(game, [game.start(), stepped], even(game), SearchSettings(50))
    for root in roots:
        assert [edge.action for edge in root.edges] == game.legal(root.state)
