"""What a user has taught the classifier, in that user's own directory.

    corrections.jsonl   every correction, one JSON object a line, only ever added to: this is the truth
    model.skops         a model that has learnt the first so many of them; it can always be made again
    lock                held while either changes

An installed package is read-only and shared, so nothing is written there. The model is stored by skops, which reads
arrays and the types it trusts, and runs no code of the file as unpickling does.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED

from filelock import FileLock, Timeout
from platformdirs import user_data_path

from labhandbook.runs import HandbookError
from mhi_phrases.corpus import SECTION, Phrase, shipped
from mhi_phrases.models import Incremental

WAIT = 300.0  # seconds to wait for other processes, then give up


def default_home() -> Path:
    """The directory of this user's data: `MHI_PHRASES_HOME`, or where the system keeps such data."""
    given = os.environ.get("MHI_PHRASES_HOME")
    return Path(given) if given else user_data_path("mhi-phrases", appauthor=False)


class Store:
    """A classifier with a memory. Any number of processes may use one directory at once."""

    def __init__(self, home: Path | None = None) -> None:
        """Use the directory `home`, made if need be. Raises HandbookError when it can't be."""
        self.home = home or default_home()
        try:
            self.home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HandbookError(f"the folder for corrections can't be made: {error.strerror}", where=str(self.home),
                                section=SECTION, todo="set MHI_PHRASES_HOME to a folder of yours") from None
        self._log, self._file = self.home / "corrections.jsonl", self.home / "model.skops"
        self._lock = FileLock(self.home / "lock", timeout=WAIT)

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Hold the lock. Raises HandbookError when other processes keep it too long."""
        try:
            self._lock.acquire()
        except Timeout:
            raise HandbookError(f"another process has kept this folder for {WAIT:g} seconds", where=str(self.home),
                                section=SECTION, todo="wait for it, or end it, and run this again") from None
        try:
            yield
        finally:
            self._lock.release()

    def classify(self, texts: Sequence[str]) -> list[tuple[str, float]]:
        """The label of each text and how sure the model is of it, from 0 to 1."""
        model = self.model()
        return list(zip(model.predict(texts), model.confidence(texts), strict=True))

    def correct(self, corrections: Sequence[Phrase]) -> None:
        """Remember corrections, then learn them. They are on the disk before anything is learnt.

        Raises HandbookError when a label is not one of the model's: it decides between those that it was made with.
        """
        model = self.model()
        for phrase in corrections:
            if not phrase.text.strip():
                raise HandbookError("a correction has no text", section=SECTION, why="nothing can be learnt from it",
                                    todo="give the text that the label belongs to")
            if phrase.label not in model.labels:
                raise HandbookError(f"no label is called {phrase.label or '(empty)'}", section=SECTION,
                                    why="the model decides between the labels that it was made with",
                                    todo=f"take one of {', '.join(model.labels)}")
        with self._held():
            self._append("".join(json.dumps(asdict(phrase)) + "\n" for phrase in corrections))
        self.model()

    def model(self) -> Incremental:
        """The model with every correction learnt, also those that another process has added or a crash left over."""
        with self._held():
            model, seen = self._read()
            corrections = self.corrections()
            if unknown := sorted({phrase.label for phrase in corrections} - set(model.labels)):
                raise HandbookError(f"a correction has the label {unknown[0]}", where=str(self._log), section=SECTION,
                                    why="the model decides between the labels that it was made with",
                                    todo="correct that line, or remove it")
            if new := corrections[seen:]:
                model.correct([phrase.text for phrase in new], [phrase.label for phrase in new])
            if new or not self._file.exists():
                self._write(model, len(corrections))
        return model

    def rebuild(self) -> Incremental:
        """Train a new model on the package's corpus and all corrections, which are kept."""
        with self._held():
            self._file.unlink(missing_ok=True)
            return self.model()

    def corrections(self) -> list[Phrase]:
        """Every correction, oldest first. A last line that a crash tore is passed over."""
        if not self._log.exists():
            return []
        *lines, _ = self._log.read_bytes().split(b"\n")
        try:
            found = [Phrase(**json.loads(line)) for line in lines]
            if not all(isinstance(value, str) for phrase in found for value in asdict(phrase).values()):
                raise ValueError("a value is no text")
            return found
        except (ValueError, TypeError, RecursionError) as error:
            raise HandbookError(f"the corrections can't be read: {error}", where=str(self._log), section=SECTION,
                                todo="remove the line that is none") from None

    def _append(self, text: str) -> None:
        with self._log.open("ab") as stream:
            if stream.tell() and not self._log.read_bytes().endswith(b"\n"):
                # A crash tore the last line: what it held was never confirmed to its user.
                stream.truncate(self._log.read_bytes().rfind(b"\n") + 1)
            stream.write(text.encode())
            stream.flush()
            os.fsync(stream.fileno())

    def _read(self) -> tuple[Incremental, int]:
        """The stored model and the number of corrections it has learnt, or a new one. The lock must be held."""
        if self._file.exists():
            return load(self._file)
        phrases = shipped()
        texts, labels = [phrase.text for phrase in phrases], [phrase.label for phrase in phrases]
        return Incremental(sorted(set(labels))).fit(texts, labels), 0

    def _write(self, model: Incremental, seen: int) -> None:
        handle, name = tempfile.mkstemp(dir=self.home, prefix=".model-")
        with os.fdopen(handle, "wb") as stream:
            stream.write(dump(model, seen))
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(self._file)


def dump(model: Incremental, seen: int) -> bytes:
    """A model, and the number of corrections it has learnt, as the bytes of a skops file."""
    from skops.io import dumps

    # Most columns were never touched: deflated, their half million zeros cost next to nothing.
    data: bytes = dumps({"linear": model.linear, "labels": model.labels, "seen": seen}, compression=ZIP_DEFLATED)
    return data


def load(path: Path) -> tuple[Incremental, int]:
    """Read what `dump` wrote.

    Raises HandbookError when the file is damaged, or names a type that skops doesn't trust.
    Nothing of it has run then.
    """
    from skops.io import get_untrusted_types, loads

    data = path.read_bytes()
    try:
        if unknown := get_untrusted_types(data=data):
            raise ValueError(f"it holds {', '.join(unknown)}")
        state: dict[str, Any] = loads(data)
        model = Incremental(state["labels"])
        model.linear = state["linear"]
        return model, int(state["seen"])
    except Exception as error:  # a damaged file fails in skops, zipfile or NumPy, each in ways of its own
        raise HandbookError(f"this is no model of ours: {error}", where=str(path), section=SECTION,
                            todo="make it again: mhi-phrases rebuild") from None
