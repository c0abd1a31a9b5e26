"""The loop around the learner: act, keep, learn; evaluate; save; go on after a kill.

Every `interval` steps the environments begin anew, from seeds that follow from the step. So a run that was killed and
goes on from its last checkpoint does exactly what it would have done otherwise, to the bit.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from labhandbook.runs import Checkpoint, Run
from mhi_driving.drive import CHOOSING, REPORTING, TRAINING, Policy, Score, evaluate, make_envs
from mhi_driving.learner import Batch, Learner, Settings, as_input
from mhi_driving.noise import Gaussian, Noise, OrnsteinUhlenbeck, ParameterNoise
from mhi_driving.replay import Array, NStep, Replay

Features = Callable[[Array], Array]
DRAWS = 50  # updates between two adaptations of the parameter noise


class Training:
    """One training: the learner, its replay and its noise."""

    def __init__(self, env_id: str, settings: Settings, seed: int, features: Features | None = None) -> None:
        self.settings, self.seed = settings, seed
        self.features = features or (lambda seen: seen)
        self.envs = make_envs(env_id, settings.actors, settings.processes)
        space = self.envs.single_observation_space
        example = self.features(np.zeros((1, *(space.shape or ())), space.dtype))
        action = int(np.prod(self.envs.single_action_space.shape or ()))
        self.learner = Learner(settings, example.shape[1:], action, seed)
        self.replay = Replay(settings.memory, (example.shape[1:], example.dtype), action, settings.alpha)
        self.rng = np.random.default_rng(seed)
        self.step, self.best = 0, -np.inf
        self.disturbed = ParameterNoise(self.learner.actor, settings.scale) if settings.noise == "parameter" else None

    def policy(self) -> Policy:
        """The actor as it is, without noise."""
        return lambda seen: self.learner.act(self.features(seen))

    def fresh_noise(self) -> Noise | None:
        """Action noise for a stretch, a larger one for each further actor (Horgan et al. 2018, section 4.1)."""
        scale = np.linspace(1, 2, self.settings.actors, dtype=np.float32) * self.settings.scale
        kinds = {"ou": OrnsteinUhlenbeck, "gaussian": Gaussian}
        return kinds[self.settings.noise](scale, self.replay.action.shape[1]) if not self.disturbed else None

    def stretch(self, until: int) -> dict[str, float]:
        """Act and learn up to the step `until`, on environments that begin anew."""
        actors, noise = self.settings.actors, self.fresh_noise()
        seen, _ = self.envs.reset(seed=TRAINING * (1 + self.seed) + self.step)
        seen = self.features(seen)
        waiting = [NStep(self.settings.n_step, self.settings.discount) for _ in range(actors)]
        if self.disturbed:
            self.disturbed.disturb(self.learner.actor, self.rng)
        numbers: dict[str, float] = {}
        while self.step < until:
            action = self.explore(seen, noise)
            now, reward, terminated, truncated, info = self.envs.step(action)
            now = self.features(now)
            cut = truncated | (self.step + actors >= until)
            for actor in range(actors):
                over = terminated[actor] or truncated[actor]
                after = self.features(info["final_obs"][actor][None])[0] if over else now[actor]
                for kept in waiting[actor].add(seen[actor], action[actor], float(reward[actor]), after,
                                               bool(terminated[actor]), bool(cut[actor])):
                    self.replay.add(kept)
                if over and noise:
                    noise.restart(actor)
                elif over and self.disturbed:
                    self.disturbed.disturb(self.learner.actor, self.rng)
            seen = now
            self.step += actors
            if self.step >= self.settings.warm_up and len(self.replay) >= self.settings.batch:
                for _ in range(actors):
                    numbers = self.learn()
        return numbers

    def explore(self, seen: Array, noise: Noise | None) -> Array:
        """Actions to learn from: (actors, action)."""
        if self.step < self.settings.warm_up:
            return self.rng.uniform(-1, 1, (len(seen), self.replay.action.shape[1])).astype(np.float32)
        if noise:
            return (self.learner.act(seen) + noise(self.rng)).clip(-1, 1)
        assert self.disturbed is not None
        with torch.no_grad():
            actions: Array = self.disturbed.actor(as_input(seen)).numpy()
        return actions

    def learn(self) -> dict[str, float]:
        """One update from the replay."""
        beta = self.settings.beta + (1 - self.settings.beta) * min(1, self.step / self.settings.steps)
        drawn, weight = self.replay.draw(self.settings.batch, self.rng, beta)
        kept = self.replay
        before = as_input(kept.before[drawn])
        numbers, errors = self.learner.update(Batch(
            before, torch.from_numpy(kept.action[drawn]), torch.from_numpy(kept.reward[drawn]),
            as_input(kept.after[drawn]), torch.from_numpy(kept.bootstrap[drawn]), torch.from_numpy(weight)))
        kept.mark(drawn, errors)
        if self.disturbed and self.learner.updates % DRAWS == 0:
            numbers["noise_distance"] = self.disturbed.adapt(self.learner.actor, before)
        return numbers

    def save(self, folder: Path) -> None:
        """Write all that is needed to go on."""
        self.learner.save(folder / "learner.pt")
        np.savez(folder / "replay.npz", **self.replay.state())  # type: ignore[arg-type]
        state = {"step": self.step, "best": self.best, "rng": self.rng.bit_generator.state,
                 "noise": self.disturbed.scale if self.disturbed else None}
        (folder / "training.json").write_text(json.dumps(state), encoding="utf-8")

    def load(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint."""
        state = json.loads((checkpoint.folder / "training.json").read_text(encoding="utf-8"))
        self.learner.load(checkpoint.folder / "learner.pt")
        with np.load(checkpoint.folder / "replay.npz", allow_pickle=False) as arrays:
            self.replay.restore(dict(arrays))
        self.step, self.best = state["step"], state["best"]
        self.rng.bit_generator.state = state["rng"]
        if self.disturbed:
            self.disturbed.scale = state["noise"]


def params(env_id: str, settings: Settings, seed: int, vae: bool = False) -> dict[str, Any]:
    """What decides a training, as a run's parameters."""
    return {"task": "train", "env": env_id, "seed": seed, "vae": vae, **asdict(settings)}


def train(run: Run, env_id: str, settings: Settings, seed: int, features: Features | None = None,
          tell: Callable[[int, Score], None] = lambda step, score: None) -> None:
    """Train in a run's directory until the end, or until the run is asked to stop; then it goes on the next time.

    The checkpoint that drives best on the roads of `CHOOSING` is kept, and reported on those of `REPORTING` beside
    the last one. `tell` hears of each evaluation.
    """
    training = Training(env_id, settings, seed, features)
    if (last := run.latest()) is not None:
        training.load(last)
    while training.step < settings.steps and not run.stopping:
        numbers = training.stretch(min(settings.steps, training.step + settings.interval))
        score = evaluate(training.policy(), env_id, CHOOSING)
        best = score.mean >= training.best
        training.best = max(training.best, score.mean)
        run.log(training.step, mean=score.mean, disengagements=score.disengagements, **numbers)
        run.save(training.step, training.save, best=best)
        tell(training.step, score)
    training.envs.close()
    if training.step >= settings.steps and not run.finished:
        run.finish(report(run, env_id, training))


def report(run: Run, env_id: str, training: Training) -> dict[str, Any]:
    """The last and the best checkpoint on the roads that decided nothing."""
    last = evaluate(training.policy(), env_id, REPORTING)
    best = run.best()
    assert best is not None
    training.learner.load(best.folder / "learner.pt")
    return {"best_step": best.step, "chosen_by": training.best, "last": last.as_json(),
            "best": evaluate(training.policy(), env_id, REPORTING).as_json()}
