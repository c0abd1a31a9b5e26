"""Who can sit at the board, matches between them, and a judge that plays every line.

A player is asked about many positions at a time (all of them its turn, none the end) and answers with an action each.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from labhandbook.runs import HandbookError
from mhi_selfplay.game import SECTION, Game, State
from mhi_selfplay.search import Evaluate, SearchSettings, search

Player = Callable[[Sequence[State]], list[int]]


# Players


def searcher(game: Game, evaluate: Evaluate, settings: SearchSettings) -> Player:
    """The most visited action of a search; with no simulations, the most likely action of the network alone."""

    def act(states: Sequence[State]) -> list[int]:
        if settings.simulations == 0:
            return [int(prior.argmax()) for prior, _ in evaluate(states)]
        roots = search(game, states, evaluate, settings)
        return [max(root.edges, key=lambda edge: edge.visits).action for root in roots]

    return act


def random_player(game: Game, seed: int) -> Player:
    """Any legal action."""
    rng = np.random.default_rng(seed)
    return lambda states: [int(rng.choice(game.legal(state))) for state in states]


def solve(game: Game) -> Callable[[State], tuple[float, ...]]:
    """What a position is worth to each player if nobody errs: the whole tree, for small games.

    Every player goes for the greatest value of its own, the first action of several that are equal (max^n: Luckhardt
    and Irani, "An algorithmic solution of N-person games", AAAI 1986).
    """
    known: dict[State, tuple[float, ...]] = {}

    def worth(state: State) -> tuple[float, ...]:
        if state not in known:
            known[state] = game.outcome(state) or max(
                (worth(game.play(state, action)) for action in game.legal(state)),
                key=lambda values: values[state.player])
        return known[state]

    return worth


def perfect_player(game: Game, seed: int) -> Player:
    """One of the actions that are best if nobody errs, each as likely; for small games."""
    rng, worth = np.random.default_rng(seed), solve(game)

    def choose(state: State) -> int:
        values = {action: worth(game.play(state, action))[state.player] for action in game.legal(state)}
        most = max(values.values())
        return int(rng.choice([action for action, value in values.items() if value == most]))

    return lambda states: [choose(state) for state in states]


def rollout_player(game: Game, simulations: int, seed: int, *, explore: float = math.sqrt(2)) -> Player:
    """Tree search without a network: UCB1 in the tree (Kocsis and Szepesvari 2006), random play beyond it.

    A separate program from `search`, so that a mistake there doesn't weaken its own opponent.
    """
    rng = np.random.default_rng(seed)

    def finish(state: State) -> tuple[float, ...]:
        while (end := game.outcome(state)) is None:
            legal = game.legal(state)
            state = game.play(state, legal[int(rng.integers(len(legal)))])
        return end

    def choose(start: State) -> int:
        visits: dict[tuple[State, int], int] = {}
        totals: dict[tuple[State, int], float] = {}
        for _ in range(simulations):
            state, path, end = start, [], game.outcome(start)
            while end is None:
                legal = game.legal(state)
                fresh = [action for action in legal if (state, action) not in visits]
                if fresh:
                    action = fresh[int(rng.integers(len(fresh)))]
                else:
                    seen = math.log(sum(visits[state, action] for action in legal))
                    action = max(legal, key=lambda each, state=state, seen=seen: (  # type: ignore[misc]
                        totals[state, each] / visits[state, each] + explore * math.sqrt(seen / visits[state, each])))
                path.append((state, action))
                state = game.play(state, action)
                end = game.outcome(state)
                if fresh and end is None:
                    end = finish(state)
            for key in path:
                visits[key] = visits.get(key, 0) + 1
                totals[key] = totals.get(key, 0.0) + end[key[0].player]
        return max(game.legal(start), key=lambda action: visits.get((start, action), 0))

    return lambda states: [choose(state) for state in states]


# Matches


@dataclass(frozen=True)
class Tally:
    """Games won, drawn and lost by the first of two players, and its mean points: 1 for a win, 1/2 for a draw."""

    won: int
    drawn: int
    lost: int
    points: float

    @property
    def games(self) -> int:
        """How many were played."""
        return self.won + self.drawn + self.lost

    def __str__(self) -> str:
        return f"{self.won} won, {self.drawn} drawn, {self.lost} lost"


def check_games(game: Game, games: int) -> None:
    """Raise HandbookError unless every seat can be taken equally often."""
    if games < game.players or games % game.players:
        even = "an even number" if game.players == 2 else f"a multiple of {game.players}"
        below = max(game.players, games - games % game.players)
        raise HandbookError(f"{games} arena games can't be shared fairly: take {even}", section=SECTION,
                            why="who begins often has an advantage, so each player takes each seat equally often",
                            todo=f"set --arena-games to {below} or {below + game.players}")


def match(game: Game, one: Player, other: Player, games: int, *, opening: int = 0, seed: int = 0) -> Tally:
    """Let `one` play against `other`, who takes all other seats; `one` sits in each seat equally often.

    Two players who don't throw dice would play one game again and again. So each game starts with up to `opening`
    random actions, the same for the games of a group in which `one` takes every seat once.
    Raises HandbookError when `games` can't be shared by the seats.
    """
    check_games(game, games)
    rng = np.random.default_rng(seed)
    starts = [random_opening(game, int(rng.integers(opening + 1)), rng) for _ in range(games // game.players)]
    seats = [seat for _ in starts for seat in range(game.players)]
    states = [start for start in starts for _ in range(game.players)]
    ends: dict[int, tuple[float, ...]] = {}
    while len(ends) < games:
        for player, own in ((one, True), (other, False)):
            turn = [number for number, state in enumerate(states)
                    if number not in ends and (state.player == seats[number]) is own]
            for number, action in zip(turn, player([states[number] for number in turn]) if turn else [], strict=True):
                states[number] = game.play(states[number], action)
                end = game.outcome(states[number])
                if end is not None:
                    ends[number] = end
    gains = [ends[number][seat] for number, seat in enumerate(seats)]
    return Tally(won=sum(gain > 0 for gain in gains), drawn=sum(gain == 0 for gain in gains),
                 lost=sum(gain < 0 for gain in gains), points=sum((gain + 1) / 2 for gain in gains) / games)


def random_opening(game: Game, length: int, rng: np.random.Generator) -> State:
    """The position after so many random actions, in which the game isn't over; fewer actions where it ends sooner."""
    state = game.start()
    for _ in range(length):
        after = game.play(state, int(rng.choice(game.legal(state))))
        if game.outcome(after) is not None:
            break
        state = after
    return state


# The judge


@dataclass(frozen=True)
class Verdict:
    """Every line of the opponents: how many a player in `seat` won, drew and lost, and one of those it lost."""

    seat: int
    won: int
    drawn: int
    lost: int
    example: tuple[int, ...] | None


def judge(game: Game, player: Player, seat: int) -> Verdict:
    """Play against every possible play of all the others, for small games.

    `player` has to answer equal positions equally. So lines that reach the same position are counted, and played
    on as one.
    """
    lines: Counter[State] = Counter({game.start(): 1})
    ways: dict[State, tuple[int, ...]] = {game.start(): ()}
    results: Counter[float] = Counter()
    example: tuple[int, ...] | None = None
    while lines:
        own = [state for state in lines if state.player == seat]
        answers = dict(zip(own, player(own) if own else [], strict=True))
        after: Counter[State] = Counter()
        reached: dict[State, tuple[int, ...]] = {}
        for state, count in lines.items():
            for action in [answers[state]] if state in answers else game.legal(state):
                new = game.play(state, action)
                end = game.outcome(new)
                if end is None:
                    after[new] += count
                    reached[new] = (*ways[state], action)
                else:
                    results[float(np.sign(end[seat]))] += count
                    if end[seat] < 0 and example is None:
                        example = (*ways[state], action)
        lines, ways = after, reached
    return Verdict(seat, results[1.0], results[0.0], results[-1.0], example)


def mistakes(game: Game, player: Player) -> tuple[int, int]:
    """In how many positions `player` takes an action that is worth less to who decides, and of how many.

    All positions that the rules lead to, for small games, each worth what `solve` says. This is the judge where more
    than two play: there, the others together can often beat a seat that errs nowhere.
    """
    worth, found, fresh = solve(game), {game.start()}, [game.start()]
    while fresh:
        state = fresh.pop()
        after = {game.play(state, action) for action in game.legal(state)} - found
        new = [each for each in after if game.outcome(each) is None]
        found.update(new)
        fresh += new
    states = sorted(found)
    return sum(worth(game.play(state, action))[state.player] < worth(state)[state.player]
               for state, action in zip(states, player(states), strict=True)), len(states)
