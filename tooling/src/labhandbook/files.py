"""Writing files and folders so that a reader never sees half of one."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from labhandbook.errors import HandbookError


def write_atomic(path: Path, content: str | bytes, *, sync: bool = False) -> None:
    """Write `content` to a temporary name beside `path`, then replace `path` with it.

    With `sync` the content is on the disk before the exchange, so that not even a machine that stops leaves half.
    """
    data = content.encode() if isinstance(content, str) else content
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            if sync:
                stream.flush()
                os.fsync(stream.fileno())
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_if_changed(path: Path, content: str) -> bool:
    """Write `content` unless `path` already holds it; True when it was written.

    A file that keeps its time stamp does not wake the tools that watch it.
    """
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if path.read_text(encoding="utf-8") == content:
            return False
    write_atomic(path, content)
    return True


@contextlib.contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `target` when the block ends well.

    The folder lies beside `target`, so that the exchange is two renames. After an exception `target` is
    what it was and nothing is left behind. Raises HandbookError when the disk does not take the files.
    """
    staging: Path | None = None
    try:
        if target.exists() and not target.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(target))
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
        staging.chmod(0o755)
        fresh = staging / "new"
        fresh.mkdir()
        yield fresh
        old = staging / "old"
        if target.exists():
            target.rename(old)
        try:
            fresh.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
    except OSError as error:
        raise HandbookError(
            f"{target.name}/ can't be written: {error.strerror or error}",
            where=str(error.filename or target),
            why=f"what was in {target.name}/ before is untouched",
            todo="make room or choose another folder with --output, then run the command again",
            section="sec-contributing",
        ) from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
