"""A learnt policy as an ONNX file: the whole of it, so that whoever runs it can't get the threshold wrong."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mhi_driving.bcq import Greedy

TRIES = 256  # observations on which the file is compared with the policy


def export(policy: Greedy, observations: NDArray[np.generic], path: Path) -> int:
    """Write softmax, threshold and argmax over both networks to `path`, and see that the file does the same.

    `observations`: (B, ...) as logged. The file takes `observation` with any number of rows and gives `action`, (B,)
    integers. Gives the number of actions that were compared. Raises RuntimeError when one differs; no file is left.
    """
    import onnxruntime  # the extra `onnx`

    fresh = path.with_suffix(".new")
    tries = observations[:TRIES]
    rows = torch.export.Dim("rows", min=2)
    logging.getLogger("torch.onnx._internal.exporter._registration").addFilter(not_about_torchvision)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*LeafSpec", FutureWarning)  # of torch's own code
        torch.onnx.export(policy.eval(), (torch.from_numpy(tries),), fresh, input_names=["observation"],
                          output_names=["action"], dynamic_shapes=({0: rows},), dynamo=True, external_data=False,
                          verbose=False)
    session = onnxruntime.InferenceSession(fresh, providers=["CPUExecutionProvider"])
    (got,) = session.run(None, {"observation": tries})
    with torch.no_grad():
        expected = policy(torch.from_numpy(tries)).numpy()
    if not np.array_equal(got, expected):
        fresh.unlink()
        raise RuntimeError(f"the exported policy does otherwise on {np.sum(got != expected)} of {len(tries)}")
    fresh.replace(path)
    return len(tries)


def not_about_torchvision(record: logging.LogRecord) -> bool:
    """False for torch's warning that torchvision is not installed: no policy here uses it."""
    return "torchvision is not installed" not in record.getMessage()
