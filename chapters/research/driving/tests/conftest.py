"""Learning on one thread: small networks gain nothing from more, and the cores are shared."""

import torch

torch.set_num_threads(1)
