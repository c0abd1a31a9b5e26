"""Gaussian process regression in one screen each: kernels, evidence and posterior, and the uncertainty of the fit."""

from mhi_gp.kernels import KERNELS, Kernel
from mhi_gp.regression import Conditioned, condition, fit, log_evidence
from mhi_gp.sampling import sample_parameters

__all__ = ["KERNELS", "Conditioned", "Kernel", "condition", "fit", "log_evidence", "sample_parameters"]
