"""Experience replay: n-step returns, a ring of transitions, a sum tree for priorities, and batches as tensors."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]
Indices = NDArray[np.int64]
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Transition:
    """n steps of one episode: where it was, what it did first, what it got, where it came to.

    `reward` is the discounted sum of the n rewards. `bootstrap` is what the value of `after` counts for: discount to
    the power n, or 0 where the episode truly ended.
    """

    before: Array
    action: Array
    reward: float
    after: Array
    bootstrap: float


@dataclass(frozen=True)
class Batch:
    """Transitions as a learner takes them: (B, ...) each.

    `weight` is what each counts in the critic's loss, `drawn` its place in the replay.
    """

    before: Tensor
    action: Tensor
    reward: Tensor
    after: Tensor
    bootstrap: Tensor
    weight: Tensor
    drawn: Indices


def as_input(seen: Array) -> Tensor:
    """Observations as a network takes them: bytes become numbers from 0 to 1."""
    # Of a single record, a field counts as contiguous whatever its strides, and torch refuses some: so it is copied.
    tensor = torch.from_numpy(np.array(seen, order="C"))
    return tensor.float() / 255 if tensor.dtype == torch.uint8 else tensor.float()


class NStep:
    """Turns the steps of one environment into n-step transitions (Sutton and Barto 2018, equation 7.1).

    When an episode ends or is cut, the steps that wait give transitions of fewer steps. Cut (a time limit) is no end:
    the value of the last observation still counts.
    """

    def __init__(self, steps: int, discount: float) -> None:
        self.steps, self.discount = steps, discount
        self.waiting: deque[tuple[Array, Array, float]] = deque()

    def add(self, before: Array, action: Array, reward: float, after: Array, terminated: bool,
            truncated: bool) -> Iterator[Transition]:
        """Take one step; give the transitions that it completes."""
        self.waiting.append((before, action, reward))
        if terminated or truncated:
            while self.waiting:
                yield self._first(after, terminated)
        elif len(self.waiting) == self.steps:
            yield self._first(after, terminated)

    def _first(self, after: Array, terminated: bool) -> Transition:
        """The transition from the oldest step that waits to `after`."""
        powers = self.discount ** np.arange(len(self.waiting) + 1)
        total = float(sum(power * step[2] for power, step in zip(powers, self.waiting, strict=False)))
        bootstrap = 0.0 if terminated else float(powers[-1])
        before, action, _ = self.waiting.popleft()
        return Transition(before, action, total, after, bootstrap)


class SumTree:
    """Non-negative weights, searched by their running sum in log(size) steps (Schaul et al. 2016, appendix B.2.1).

    A binary tree in one array: the children of node i are 2i and 2i + 1, node 1 is the sum of all, the leaves are
    the last `width` entries.
    """

    def __init__(self, size: int) -> None:
        self.width = 1 << max(0, size - 1).bit_length()
        self.nodes: Doubles = np.zeros(2 * self.width)

    @property
    def total(self) -> float:
        """The sum of all weights."""
        return float(self.nodes[1])

    def get(self, indices: Indices) -> Doubles:
        """The weights at `indices`."""
        return self.nodes[self.width + indices]

    def set(self, indices: Indices, weights: Doubles) -> None:
        """Give the leaves `indices` new weights. Of an index that is named twice, the last weight counts."""
        at = self.width + np.asarray(indices)
        self.nodes[at] = weights
        while at[0] > 1:
            at = np.unique(at // 2)
            self.nodes[at] = self.nodes[2 * at] + self.nodes[2 * at + 1]

    def find(self, masses: Doubles) -> Indices:
        """For each mass in [0, total): the index i with sum of weights before i <= mass < sum up to and with i."""
        at = np.ones(len(masses), np.int64)
        rest = np.array(masses, np.float64)
        while at[0] < self.width:
            left = self.nodes[2 * at]
            # Rounding can leave a mass as large as the whole subtree: an empty right half is never entered.
            right = (rest >= left) & (self.nodes[2 * at + 1] > 0)
            rest -= np.where(right, left, 0)
            at = 2 * at + right
        return at - self.width


class Replay:
    """A ring of the last `size` transitions; drawn evenly, or by priority (Schaul et al. 2016, section 3.3).

    With `alpha` > 0 a transition is drawn in proportion to priority ** alpha. A new one gets the largest priority
    so far, so that each is seen.
    """

    ARRAYS = ("before", "action", "reward", "after", "bootstrap")
    TINY = 1e-6  # added to priorities, so that none is 0

    def __init__(self, size: int, observation: tuple[tuple[int, ...], Any], action: int, alpha: float = 0.0) -> None:
        """`observation`: shape and dtype of one observation; `action`: how many numbers an action has."""
        shape, dtype = observation
        self.before, self.after = np.zeros((size, *shape), dtype), np.zeros((size, *shape), dtype)
        self.action = np.zeros((size, action), np.float32)
        self.reward, self.bootstrap = np.zeros(size, np.float32), np.zeros(size, np.float32)
        self.size, self.alpha, self.added, self.highest = size, alpha, 0, 1.0
        self.tree = SumTree(size) if alpha > 0 else None

    def __len__(self) -> int:
        return min(self.added, self.size)

    def add(self, step: Transition) -> None:
        """Keep a transition, in the place of the oldest when the ring is full."""
        at = self.added % self.size
        self.before[at], self.action[at], self.after[at] = step.before, step.action, step.after
        self.reward[at], self.bootstrap[at] = step.reward, step.bootstrap
        self.added += 1
        if self.tree:
            self.tree.set(np.array([at]), np.array([self.highest**self.alpha]))

    def draw(self, count: int, rng: np.random.Generator, beta: float) -> tuple[Indices, Array]:
        """Indices of `count` transitions, and the weight of each in the loss, at most 1.

        The weight (N P(i)) ** -beta, over the largest in the batch, takes back what the priorities distort.
        """
        if self.tree is None:
            return rng.integers(len(self), size=count), np.ones(count, np.float32)
        # One from each of `count` equal parts of the total mass, as in appendix B.2.1.
        drawn = self.tree.find((np.arange(count) + rng.random(count)) * self.tree.total / count)
        weights = (len(self) * self.tree.get(drawn) / self.tree.total) ** -beta
        return drawn, (weights / weights.max()).astype(np.float32)

    def batch(self, count: int, rng: np.random.Generator, beta: float = 0.0) -> Batch:
        """`count` drawn transitions as tensors."""
        drawn, weight = self.draw(count, rng, beta)
        return Batch(as_input(self.before[drawn]), torch.from_numpy(self.action[drawn]),
                     torch.from_numpy(self.reward[drawn]), as_input(self.after[drawn]),
                     torch.from_numpy(self.bootstrap[drawn]), torch.from_numpy(weight), drawn)

    def mark(self, indices: Indices, errors: Array) -> None:
        """Set the priorities of drawn transitions from their errors."""
        if self.tree:
            priorities = np.abs(errors).astype(np.float64) + self.TINY
            self.highest = max(self.highest, float(priorities.max()))
            self.tree.set(indices, priorities**self.alpha)

    def save(self, path: Path) -> None:
        """Write all that is needed to go on with it, as arrays."""
        kept = {name: getattr(self, name)[: len(self)] for name in self.ARRAYS}
        leaves = self.tree.get(np.arange(len(self))) if self.tree else np.zeros(0)
        np.savez(path, **kept, leaves=leaves, added=np.array(self.added), highest=np.array(self.highest))

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        with np.load(path, allow_pickle=False) as state:
            self.added, self.highest = int(state["added"]), float(state["highest"])
            for name in self.ARRAYS:
                getattr(self, name)[: len(self)] = state[name]
            if self.tree and len(self):
                self.tree.set(np.arange(len(self)), state["leaves"])
