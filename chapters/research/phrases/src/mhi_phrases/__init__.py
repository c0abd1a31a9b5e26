"""A classifier of short texts that its users can correct."""

from mhi_phrases.corpus import Phrase, read_csv, shipped
from mhi_phrases.models import Incremental, baseline
from mhi_phrases.store import Store

__all__ = ["Incremental", "Phrase", "Store", "baseline", "read_csv", "shipped"]
