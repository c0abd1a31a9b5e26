"""Discrete BCQ, whole in this file: learning from logged drives only (Fujimoto, Conti et al. 2019).

Batch-constrained Q-learning, behaviour cloning and plain Q-learning are one method with three thresholds. It learns
Q(s, a) and G(a | s), how likely the log's drivers were to do a in s, and acts by

    argmax of Q(s, a) over all a with G(a | s) >= threshold * max over b of G(b | s)

    threshold 1     only the likeliest action is left: behaviour cloning, whatever Q says
    threshold 0.3   batch-constrained Q-learning: the best of what the log knows
    threshold 0     plain Q-learning, free to believe in what nobody does where it does it

The settings, and the log's drivers, were chosen by driving on the roads of `drive.DEVELOPING`, with other seeds than
those of `experiments.SEEDS`. What is reported comes from the roads of `drive.REPORTING`, used for no choice.

Read from the top: settings, networks, the target, one update, the passes over the log, checkpoints. Elsewhere are the
log (`logs.py`) and the environment (`drive.py`). Shapes: B observations, N actions in the table.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from labhandbook.runs import Checkpoint, Run
from mhi_driving.drive import Policy, evaluate, reporting, starts
from mhi_driving.drivers import ACTIONS
from mhi_driving.logs import Log, Records
from mhi_driving.replay import as_input

THRESHOLDS = {"bcq": 0.3, "bc": 1.0, "q": 0.0}


@dataclass(frozen=True)
class Settings:
    """What decides a training, and for how many passes over the log it runs."""

    epochs: int = 15
    fall: int = 15  # passes in which the rate falls
    batch: int = 128
    hidden: int = 128
    rate: float = 2e-3  # of the first update; it falls in a line, so that the last policy doesn't wobble
    least: float = 1e-3  # the share of the rate that is left after the fall
    discount: float = 0.98
    tau: float = 0.05
    calm: float = 0.01  # how much the square of the behaviour logits counts


class Greedy(nn.Module):
    """The whole policy, from what the car sees to the number of an action: softmax, threshold, argmax.

    It takes observations as they are logged, (B, 10) floats or (B, 1, 24, 24) bytes, and gives (B,) integers. What is
    exported and what is evaluated is this module.
    """

    def __init__(self, observation: tuple[int, ...], actions: int, hidden: int, threshold: float) -> None:
        super().__init__()
        self.threshold = threshold
        self.value, self.behaviour = (net(observation, actions, hidden) for _ in range(2))

    def forward(self, seen: Tensor) -> Tensor:
        """The numbers of the actions."""
        seen = seen.float() / 255 if seen.dtype == torch.uint8 else seen
        return self.allowed(seen).argmax(dim=1)

    def allowed(self, seen: Tensor) -> Tensor:
        """Q of the actions that are likely enough, minus infinity elsewhere: (B, N)."""
        chances = self.behaviour(seen).softmax(dim=1)
        likely = chances >= self.threshold * chances.max(dim=1, keepdim=True).values
        values: Tensor = self.value(seen)
        return values.masked_fill(~likely, -torch.inf)


def encoder(observation: tuple[int, ...]) -> tuple[nn.Module, int]:
    """What turns observations into vectors, and their size: nothing for states, convolutions for images."""
    if len(observation) == 1:
        return nn.Identity(), observation[0]
    layers = nn.Sequential(nn.Conv2d(observation[0], 16, 4, 2), nn.ReLU(), nn.Conv2d(16, 32, 3, 2), nn.ReLU(),
                           nn.Flatten())
    with torch.no_grad():
        return layers, layers(torch.zeros(1, *observation)).shape[1]


def net(observation: tuple[int, ...], outputs: int, hidden: int) -> nn.Sequential:
    """Two hidden layers, after convolutions where observations are images: (B, observation) -> (B, outputs)."""
    seen, size = encoder(observation)
    return nn.Sequential(seen, nn.Linear(size, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(),
                         nn.Linear(hidden, outputs))


def bcq_target(policy: Greedy, slow: nn.Module, reward: Tensor, after: Tensor, bootstrap: Tensor) -> Tensor:
    """y = r + bootstrap * Q'(s', a'), a' what the policy does in s': (B,).

    The fast network chooses, the slow one judges (van Hasselt et al. 2016), so that one error isn't both.
    """
    with torch.no_grad():
        chosen = policy.allowed(after).argmax(dim=1, keepdim=True)
        judged: Tensor = slow(after).gather(1, chosen)[:, 0]
        return reward + bootstrap * judged


class BCQ:
    """A policy in the making."""

    def __init__(self, settings: Settings, method: str, observation: tuple[int, ...], actions: int,
                 seed: int) -> None:
        self.settings, self.epoch = settings, 0
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.policy = Greedy(observation, actions, settings.hidden, THRESHOLDS[method])
        self.slow = copy.deepcopy(self.policy.value)
        self.optimiser = torch.optim.Adam(self.policy.parameters(), settings.rate, fused=True)

    def update(self, records: Records) -> dict[str, float]:
        """One step on a batch of logged transitions; gives numbers to log."""
        before, after = as_input(records["before"]), as_input(records["after"])
        action = torch.from_numpy(records["action"].copy())[:, None]
        reward = torch.from_numpy(records["reward"].copy())
        bootstrap = torch.from_numpy(self.settings.discount * ~records["ended"]).float()
        target = bcq_target(self.policy, self.slow, reward, after, bootstrap)
        said = self.policy.value(before).gather(1, action)[:, 0]
        logits = self.policy.behaviour(before)
        td = functional.smooth_l1_loss(said, target)
        imitation = functional.cross_entropy(logits, action[:, 0])
        self.optimiser.zero_grad()
        (td + imitation + self.settings.calm * logits.square().mean()).backward()
        self.optimiser.step()
        with torch.no_grad():
            for slow, fast in zip(self.slow.parameters(), self.policy.value.parameters(), strict=True):
                slow.lerp_(fast, self.settings.tau)
        return {"td": td.item(), "imitation": imitation.item(), "q": said.mean().item()}

    def ease(self, left: float) -> None:
        """Learn at this share of the first rate from now on."""
        for group in self.optimiser.param_groups:
            group["lr"] = left * self.settings.rate

    def drive(self) -> Policy:
        """The policy as evaluation takes it: observations to rows of the table of actions."""
        def act(seen: Any) -> Any:
            with torch.no_grad():
                return ACTIONS[self.policy(torch.from_numpy(seen)).numpy()]
        return act

    @torch.no_grad()
    def promise(self, starts: Any) -> float:
        """What Q says of the policy's own actions, on average: for a lane, discounted metres."""
        return float(self.policy.allowed(as_input(starts)).max(dim=1).values.mean())

    def save(self, folder: Path) -> None:
        """Write the whole state; torch reads it without running code."""
        torch.save({"policy": self.policy.state_dict(), "slow": self.slow.state_dict(),
                    "optimiser": self.optimiser.state_dict(), "epoch": self.epoch}, folder / "offline.pt")

    def load(self, checkpoint: Checkpoint, *, policy_only: bool = False) -> None:
        """Go on from a checkpoint."""
        state = torch.load(checkpoint.folder / "offline.pt", weights_only=True)
        self.policy.load_state_dict(state["policy"])
        self.slow.load_state_dict(state["slow"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.epoch = state["epoch"]


def params(log: Path, env_id: str, method: str, settings: Settings, seed: int) -> dict[str, Any]:
    """What decides a training, as a run's parameters. How many passes it runs is not one of them."""
    decides = {name: value for name, value in asdict(settings).items() if name != "epochs"}
    return {"task": "bcq", "log": str(log.resolve()), "env": env_id, "method": method, "seed": seed, **decides}


def learn(run: Run, log: Log, env_id: str, method: str, settings: Settings, seed: int,
          tell: Callable[[int, dict[str, float]], None] = lambda epoch, numbers: None) -> None:
    """Learn from a log in a run's directory, a checkpoint after each pass; a stopped run continues the next time.

    The rate falls over the passes that the run was begun with, and stays low after them. The last policy is
    reported, never the best of many: choosing by driving wouldn't be offline.
    """
    if run.finished:
        return
    learner = BCQ(settings, method, log.type["before"].shape, len(ACTIONS), seed)
    if (last := run.latest()) is not None:
        last.restore(learner.load)
    each = -(-log.rows // settings.batch)
    while learner.epoch < settings.epochs and not run.stopping:
        for done, records in enumerate(log.batches(settings.batch, np.random.default_rng([seed, learner.epoch]))):
            learner.ease(max(settings.least, 1 - (learner.epoch + done / each) / settings.fall))
            numbers = learner.update(records)
        learner.epoch += 1
        run.log(learner.epoch, **numbers)
        run.save(learner.epoch, learner.save)
        tell(learner.epoch, numbers)
    if learner.epoch >= settings.epochs:
        run.finish(report(learner, env_id, settings.discount))


def report(learner: BCQ, env_id: str, discount: float) -> dict[str, Any]:
    """How the policy drives, and what it promised: mean discounted metres from the starts of the same roads."""
    score = evaluate(learner.drive(), env_id, reporting(env_id), discount)
    return {"score": score.as_json(), "promised": learner.promise(starts(env_id, reporting(env_id)))}
