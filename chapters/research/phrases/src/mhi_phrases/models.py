"""Two classifiers of short texts: one that most people write first, and one that learns from a correction at once.

Both see words and runs of up to four words. The baseline keeps a vocabulary and a forest of trees, and has to be
fitted again for every correction. The incremental one hashes the runs into a fixed number of columns, so that a new
word needs no new vocabulary, and moves a linear model by a gradient step for each correction.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import Pipeline, make_pipeline

RUNS = (1, 4)        # words in a run: from one to four
COLUMNS = 2**16      # columns that runs are hashed into; two runs share one about once in 65,536 pairs
STEPS = 20           # times that a batch of corrections is shown
EPOCHS = 20          # times that the whole corpus is shown


def baseline(seed: int = 0) -> Pipeline:
    """TF-IDF of word runs and a random forest of 100 trees.

    TF-IDF: Spärck Jones, J. Documentation 28 (1972). Forest: Breiman, Machine Learning 45 (2001).
    """
    return make_pipeline(TfidfVectorizer(ngram_range=RUNS),
                         RandomForestClassifier(n_estimators=100, random_state=seed))


class Incremental:
    """Hashed word runs and logistic regression by stochastic gradient descent.

    Hashing with signs: Weinberger et al., ICML 2009, equation 1 of section 2: collisions cancel on average. The step
    size falls with the number of sentences seen (scikit-learn's "optimal", after Bottou 2012), so that a model that
    has learnt much is not thrown over by one sentence.
    """

    def __init__(self, labels: Sequence[str], seed: int = 0) -> None:
        """A model that knows nothing yet but the names of its `labels`."""
        self.hashing = HashingVectorizer(ngram_range=RUNS, n_features=COLUMNS)
        self.linear = SGDClassifier(loss="log_loss", alpha=1e-4, random_state=seed)
        self.labels = sorted(labels)

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> Incremental:
        """Show all sentences `EPOCHS` times, each time in another order."""
        order = np.random.default_rng(self.linear.random_state)
        return self._learn(texts, labels, np.concatenate([order.permutation(len(labels)) for _ in range(EPOCHS)]))

    def correct(self, texts: Sequence[str], labels: Sequence[str]) -> Incremental:
        """Learn a few corrections without the rest of the corpus: its cost does not grow with the corpus."""
        return self._learn(texts, labels, np.tile(np.arange(len(labels)), STEPS))

    def _learn(self, texts: Sequence[str], labels: Sequence[str], rows: NDArray[np.intp]) -> Incremental:
        """Take one gradient step for each of `rows`, in one call: each call costs a copy of all coefficients."""
        seen = self.hashing.transform(texts)
        self.linear.partial_fit(seen[rows], np.asarray(labels)[rows], classes=self.labels)
        return self

    def predict(self, texts: Sequence[str]) -> list[str]:
        """The label of each sentence."""
        return [str(label) for label in self.linear.predict(self.hashing.transform(texts))]

    def confidence(self, texts: Sequence[str]) -> list[float]:
        """The probability that the model gives the label it predicts, one for each sentence."""
        return [float(row.max()) for row in self.linear.predict_proba(self.hashing.transform(texts))]
