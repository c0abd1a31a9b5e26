"""The Numerai tournament from download to submission, with scores by era and splits that keep an embargo."""

from mhi_eras.data import Table, convert, load, synthetic
from mhi_eras.models import Fitted
from mhi_eras.scores import Score, by_era, score
from mhi_eras.split import EraSplit

__all__ = ["EraSplit", "Fitted", "Score", "Table", "by_era", "convert", "load", "score", "synthetic"]
