"""The programs that the checks call: where they are and what they print.

They get copies of the book's files, in temporary folders, and none of the book's settings that could make them write.
"""

from __future__ import annotations

import configparser
import contextlib
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from labhandbook.book.boundary import own_file
from labhandbook.book.checks.check_input import Block, Ran
from labhandbook.core import process, untrusted_data
from labhandbook.core.errors import HandbookError
from labhandbook.core.kit_extras import kit_with

SECONDS = 120
# Marks inside a word: of 2^nd^, **h**ue and (mis)count, "nd", "ue" and "mis" are no words.
MARKED = re.compile(r"(?<=\w)[*^~()]+(?=\w)")
SCRIPT = 'for file; do bash -n "$file" || :; done'


def run(name: str, arguments: Sequence[str], cwd: Path, fine: set[int], seconds: float = SECONDS,
        env: Mapping[str, str] | None = None) -> Ran:
    """What a tool prints within `seconds`; `fine` are the exit codes of a run that did its work.

    `cwd` must be a temporary folder: in the book, a tool would find settings that name files to write.
    """
    path = process.find_program(name)
    if path is None:
        return Ran(None, f"{name} is not installed ({kit_with('check')})")
    try:
        done = process.run([path, *arguments], cwd=cwd, env=env, timeout=seconds)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return Ran(None, f"{name} did not run: {error}")
    if done.returncode not in fine:
        last = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        return Ran(None, f"{name} stopped with exit code {done.returncode}: {last[-1]}")
    return Ran(done.stdout)


def write(texts: Mapping[str, str], folder: Path) -> None:
    """Write files, given by their names, below a folder."""
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="")


def panache(texts: Mapping[str, str], folder: Path, select: Sequence[str]) -> Ran:
    """What panache says of chapters, given by their names, which are written to `folder`.

    Beside `_quarto.yml` it would read the whole book once more, to follow what the engine follows.
    """
    write(texts, folder)
    ran = run("panache", ["lint", "--isolated", "--no-cache", "--color", "never", "--message-format", "short",
                          "--select", ",".join(select), "--", *sorted(texts)], folder, {0, 1})
    return ran if ran.output is None else Ran(ran.output.replace(f"{folder.resolve()}/", ""))


def codespell(root: Path, texts: Mapping[str, str], folder: Path) -> Ran:
    """What codespell says of texts, given by their names, which are written to `folder`.

    Of the book's own settings it gets the words that are right and no others: some make codespell write files.
    Names in addresses are not checked.
    """
    if not texts:
        return Ran("")
    write({name: MARKED.sub("_", text) for name, text in texts.items()}, folder)
    words = folder.with_name(f"{folder.name}.words")
    words.write_text("\n".join([*known_words(root), ""]), encoding="utf-8")
    options = ["--disable-colors", "--quiet-level", "7", "--uri-ignore-words-list", "*", "--ignore-words", str(words)]
    return run("codespell", [*options, "--", *(f"./{name}" for name in sorted(texts))], folder, {0, 65})


def known_words(root: Path) -> list[str]:
    """The words that the book's settings for codespell call right."""
    sections: list[Mapping[str, object]] = []
    for name in ("setup.cfg", ".codespellrc"):
        parser = configparser.ConfigParser(interpolation=None)
        with contextlib.suppress(HandbookError, configparser.Error):
            parser.read_string(settings(root, name))
            sections += [parser["codespell"]] if parser.has_section("codespell") else []
    with contextlib.suppress(HandbookError):
        tool = untrusted_data.toml(settings(root, "pyproject.toml"), "pyproject.toml").get("tool")
        own = tool.get("codespell") if isinstance(tool, dict) else None
        sections += [own] if isinstance(own, dict) else []
    words: list[str] = []
    for section in sections:
        listed = section.get("ignore-words-list", "")
        words += [str(word) for word in listed] if isinstance(listed, list) else str(listed).split(",")
        with contextlib.suppress(HandbookError):
            words += settings(root, str(section.get("ignore-words", ""))).splitlines()
    return sorted({word.strip() for word in words if word.strip()})


def settings(root: Path, name: str) -> str:
    """The text of a file of the book; nothing if there is none."""
    file = own_file(root, name)
    return untrusted_data.text(file, name) if file else ""


def lychee(site: Path, folder: Path) -> Ran:
    """What lychee says of the links between the files of a site, as JSON.

    It runs in an empty folder: its settings in the site could name a file to write.
    """
    folder.mkdir()
    ran = run("lychee", ["--offline", "--include-fragments", "--no-ignore", "--hidden", "--no-progress", "--format",
                         "json", "--extensions", "html", "--exclude-path", "/site_libs/", "--index-files",
                         "index.html", "--root-dir", str(site), "--", str(site)], folder, {0, 2})
    if ran.output is not None and not ran.output.lstrip().startswith("{"):
        return Ran(None, "lychee printed no report")
    return ran


def bash(blocks: Sequence[Block], folder: Path) -> Ran:
    """What `bash -n` says of each block, written to `folder`; the blocks go to two processes."""
    path = process.find_program("bash")
    if path is None:
        return Ran(None, "bash is not installed")
    first: dict[str, int] = {}
    for number, block in enumerate(blocks):
        if first.setdefault(block.text, number) == number:
            (folder / f"{number}.sh").write_text(block.text + "\n", encoding="utf-8")
    names = [f"{number}.sh" for number in first.values()]
    shares = [share for share in (names[::2], names[1::2]) if share]
    running = [process.start([path, "-c", SCRIPT, "check", *share], cwd=folder, stderr=subprocess.PIPE,
                             env={"PATH": str(Path(path).parent), "LC_ALL": "C"}) for share in shares]
    answers = []
    for each in running:
        try:
            answers.append(each.communicate(timeout=SECONDS)[1])
        except subprocess.TimeoutExpired:
            return Ran(None, f"bash did not end within {SECONDS} s")
        finally:
            process.stop(each)
            process.close(each.stderr)
    return Ran("".join(answers))
