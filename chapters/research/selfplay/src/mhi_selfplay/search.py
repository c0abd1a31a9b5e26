"""Tree search with a network's opinion: PUCT, for many games at a time.

Sources: Silver et al., "Mastering the game of Go without human knowledge" (2017), Methods, "Search algorithm", and
Silver et al., "A general reinforcement learning algorithm" (2018), with its pseudocode.

In each simulation a path goes down the tree, at each node along the edge with the greatest

    Q(s, a) + c * P(s, a) * sqrt(N(s)) / (1 + N(s, a))                                              (PUCT)

until it meets a position that is not in the tree yet. The network says what that position is worth, and each edge of
the path adds that to its mean. Q(s, a) is the mean value *for the player who decides in s*, 0 before the first visit;
N(s) counts the visits to s, the one that added it included, so the prior P decides the first step.

Values are vectors with one entry a player, so no sign is flipped on the way up. That is what makes games right in
which a player decides twice in a row, or that have three players.

The trees of many games grow side by side, so that the network is asked once for all of them. A tree isn't kept for
the next move: what is played depends on the position alone, which a judge who plays every line needs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mhi_selfplay.game import Floats, Game, State

# For each position: the prior over all actions of its phase, masked, and the values by player number.
Evaluate = Callable[[Sequence[State]], list[tuple[Floats, Floats]]]


@dataclass(frozen=True)
class SearchSettings:
    """How to search; the fields are explained at `mhi_selfplay.settings.Settings`."""

    simulations: int = 50
    cpuct: float = 1.5
    depth: int = 0
    noise_alpha: float = 1.0
    noise_share: float = 0.0


class Edge:
    """An action in a node: its prior, how often it was taken, and the sum of the values that followed."""

    __slots__ = ("action", "child", "prior", "total", "visits")

    def __init__(self, action: int, prior: float) -> None:
        self.action, self.prior = action, prior
        self.visits, self.total = 0, 0.0
        self.child: Node | None = None


class Node:
    """A position of the tree. It has no edges before the network was asked about it, nor where the game is over."""

    __slots__ = ("edges", "state", "values", "visits")

    def __init__(self, state: State, outcome: tuple[float, ...] | None = None) -> None:
        self.state = state
        self.visits = 0
        self.edges: list[Edge] = []
        # What a simulation that ends here brings home, by player number.
        self.values: Sequence[float] | None = outcome

    def best(self, cpuct: float) -> Edge:
        """The edge to follow, by (PUCT); the first of several that are equal."""
        spread = cpuct * math.sqrt(self.visits)
        best, most = self.edges[0], -math.inf
        for edge in self.edges:
            visits = edge.visits
            score = spread * edge.prior / (1 + visits)
            if visits:
                score += edge.total / visits
            if score > most:
                best, most = edge, score
        return best

    def visit_counts(self, actions: int) -> Floats:
        """How often each action was taken. Shape (actions,)."""
        counts = np.zeros(actions, dtype=np.float32)
        for edge in self.edges:
            counts[edge.action] = edge.visits
        return counts


def masked(probabilities: Floats, legal: Sequence[int]) -> Floats:
    """Probabilities with those of illegal actions set to 0 and the rest scaled to the sum 1. Shape (actions,).

    Where nothing is left, because the network gives every legal action 0 or no number, all legal actions are equal.
    """
    kept = np.zeros_like(probabilities)
    kept[legal] = probabilities[legal]
    total = float(kept.sum())
    if not (math.isfinite(total) and total > 1e-30):
        kept[legal] = 1.0
        total = float(len(legal))
    return kept / np.float32(total)


def search(game: Game, states: Sequence[State], evaluate: Evaluate, settings: SearchSettings,
           noise: np.random.Generator | None = None) -> list[Node]:
    """Search from each of `states`, none of which is the end of a game, and return the roots.

    With `noise` the priors of each root are mixed with a Dirichlet draw of `noise_share`, so that self-play tries
    what the network would not (Silver et al. 2017, "Self-play"). `depth` stops a path after so many actions, 0 means
    never.
    """
    roots = [Node(state) for state in states]
    for root, answer in zip(roots, evaluate(states), strict=True):
        _expand(game, root, answer)
        if noise is not None and settings.noise_share > 0:
            draw = noise.dirichlet([settings.noise_alpha] * len(root.edges))
            for edge, share in zip(root.edges, draw, strict=True):
                edge.prior += settings.noise_share * (float(share) - edge.prior)
    for _ in range(settings.simulations):
        paths = [_descend(game, root, settings) for root in roots]
        fresh = [leaf for leaf, _ in paths if leaf.values is None]
        for leaf, answer in zip(fresh, evaluate([leaf.state for leaf in fresh]) if fresh else [], strict=True):
            _expand(game, leaf, answer)
        for root, (leaf, path) in zip(roots, paths, strict=True):
            _back_up(root, leaf, path)
    return roots


def _descend(game: Game, root: Node, settings: SearchSettings) -> tuple[Node, list[Edge]]:
    """From the root to a position that is new, or over, or `depth` actions away; and the edges on the way."""
    node, path = root, list[Edge]()
    while node.edges and not (settings.depth and len(path) >= settings.depth):
        edge = node.best(settings.cpuct)
        path.append(edge)
        if edge.child is None:
            state = game.play(node.state, edge.action)
            edge.child = Node(state, game.outcome(state))
        node = edge.child
    return node, path


def _expand(game: Game, node: Node, answer: tuple[Floats, Floats]) -> None:
    prior, values = answer
    node.edges = [Edge(action, float(prior[action])) for action in game.legal(node.state)]
    node.values = values.tolist()
    node.visits = 1


def _back_up(root: Node, leaf: Node, path: list[Edge]) -> None:
    """Add the leaf's values to every edge of the path, to each the value of the player who chose it."""
    assert leaf.values is not None
    node = root
    for edge in path:
        node.visits += 1
        edge.visits += 1
        edge.total += leaf.values[node.state.player]
        assert edge.child is not None
        node = edge.child


def policy(root: Node, actions: int, temperature: float) -> Floats:
    """The search's opinion: visit counts to the power 1/temperature, with the sum 1. Shape (actions,).

    At temperature 0 the most visited action has probability 1; the first of several that are equal.
    """
    counts = root.visit_counts(actions)
    if temperature == 0:
        chosen = np.zeros_like(counts)
        chosen[int(counts.argmax())] = 1.0
        return chosen
    scaled = (counts / counts.max()) ** np.float32(1 / temperature)
    total: Floats = scaled / scaled.sum()
    return total
