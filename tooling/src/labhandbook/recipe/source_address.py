"""Whether the address of a recipe's source leads to the released file, by what the index lists at run time.

The index lists each file of a project with its sha256. PyPI's web address for recipes, `packages/source/`, leads to
that file by its name. The file is fetched from there, as conda-forge does, and its bytes are compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from labhandbook.core.errors import HandbookError
from labhandbook.core.rules import Finding, Rule, Severity
from labhandbook.package.index_addresses import Index
from labhandbook.package.project import normalise
from labhandbook.package.simple_index import IndexDown, Listed, get, sha256
from labhandbook.recipe.recipe_reader import Reading
from labhandbook.recipe.recipe_rules import build_proof
from labhandbook.recipe.released_sdist import ask, sdist_version

LASTING = "/packages/source/"


@dataclass(frozen=True)
class Named:
    """A source as a recipe names it: its address, the file's name, the project's, and the sha256."""

    url: str
    file: str
    project: str
    sha256: str

    @property
    def host(self) -> str:
        """The machine that serves it."""
        return urlsplit(self.url).hostname or ""

    @property
    def path(self) -> str:
        """The path on that machine."""
        return unquote(urlsplit(self.url).path)


@dataclass
class Answer:
    """What the index says of a source: findings, the file's bytes if its address serves them, and its entry.

    `down` says that the index didn't answer.
    """

    findings: list[Finding] = field(default_factory=list)
    data: bytes | None = None
    listed: Listed | None = None
    down: bool = False


class _Wrong(Exception):
    """Something that was found: what, the weight, and the rule if it isn't the address's."""

    def __init__(self, message: str, weight: Severity = Severity.ERROR, rule: Rule = build_proof.ADDRESS, *,
                 down: bool = False) -> None:
        super().__init__(message)
        self.message, self.weight, self.rule, self.down = message, weight, rule, down


def named(reading: Reading) -> Named | None:
    """The first source of a recipe, None where it names no file."""
    url = next((value.text for value in reading.values("source.url")), "")
    file = unquote(urlsplit(url).path.rpartition("/")[2])
    if not file or "{{" in url:
        return None
    return Named(url, file, file.rpartition("-")[0] or file, reading.get("source.sha256").lower())


def check_address(reading: Reading, place: Index | None) -> Answer:
    """Ask an index for the source of a recipe and fetch it from its address; without an index nothing is fetched."""
    wanted, answer = named(reading), Answer()
    if wanted is None:  # The rules of the recipe alone say that.
        return answer
    try:
        if place is None:
            raise _Wrong("the source's address was not checked, because of --offline", Severity.UNVERIFIED)
        answer.listed = _listed(wanted, place)
        _compare(wanted, answer.listed, place)
        answer.data = _served(wanted, answer.listed, place)
        if place.moved:
            raise _Wrong(f"the file came from the index that is used in place of {place.title}; the address itself "
                         "was not checked", Severity.UNVERIFIED)
    except _Wrong as wrong:
        line = reading.line("source.sha256" if wrong.rule is build_proof.HASH else "source.url")
        answer.down = wrong.down
        answer.findings.append(Finding(reading.file, line, wrong.rule, wrong.message, wrong.weight))
    return answer


def _listed(wanted: Named, place: Index) -> Listed:
    """The index's entry of the file."""
    try:
        files = ask(place, wanted.project)
    except HandbookError as error:
        raise _Wrong(error.what, Severity.UNVERIFIED, down=True) from None
    if wanted.file in files:
        return files[wanted.file]
    if wanted.host not in _hosts(place):
        raise _elsewhere(wanted, place)
    version = sdist_version(wanted.file)
    there = {found: name for name in files if (found := sdist_version(name)) is not None}
    if version is not None and version in there:
        raise _Wrong(f"{place.label} has no file {wanted.file}; the sdist of that version is {there[version]}")
    newest = f" (the newest sdist is {there[max(there)]})" if there else ""
    raise _Wrong(f"{place.label} has no {wanted.file} yet{newest}: publish this file before you propose the "
                 "recipe", Severity.UNVERIFIED)


def _hosts(place: Index) -> set[str | None]:
    """The machines that are the index: that of its address and, where it is used in place of PyPI, PyPI's own."""
    return {urlsplit(place.web).hostname, urlsplit(place.public).hostname}


def _elsewhere(wanted: Named, place: Index) -> _Wrong:
    return _Wrong(f"{wanted.host or wanted.url} is not {place.title}, so its files were not checked",
                  Severity.UNVERIFIED)


def _compare(wanted: Named, listed: Listed, place: Index) -> None:
    """The recipe's hash and address against the index's entry."""
    if wanted.sha256 and listed.sha256 and wanted.sha256 != listed.sha256:
        raise _Wrong(f"{place.label} lists {wanted.file} with sha256 {listed.sha256[:16]}…, the recipe names "
                     f"{wanted.sha256[:16]}…", rule=build_proof.HASH)
    if wanted.host not in {*_hosts(place), urlsplit(listed.url).hostname}:
        raise _elsewhere(wanted, place)
    project = normalise(wanted.project)
    right = f"{LASTING}{project[0]}/{project}/{wanted.file}"
    if wanted.path.startswith(LASTING):
        parts = wanted.path.removeprefix(LASTING).split("/")
        if len(parts) != 3 or parts[0] != parts[1][:1] or normalise(parts[1]) != project:
            raise _Wrong(f"the file is at {right}, not at {wanted.path}")


def _served(wanted: Named, listed: Listed, place: Index) -> bytes:
    """The bytes that the address serves, if they are the file's; an index in PyPI's place delivers them."""
    try:
        answer = get(wanted.url.replace(place.public, place.web, 1) if place.moved else wanted.url, 60)
    except (IndexDown, HandbookError) as error:
        raise _Wrong(f"the address was not reached: {error}", Severity.UNVERIFIED) from None
    if answer is None and wanted.path.startswith(LASTING):
        raise _Wrong(f"the address answers 404 here, though {place.label} lists {wanted.file} with this sha256; "
                     "a mirror may be in between", Severity.UNVERIFIED)
    if answer is None:
        raise _Wrong(f"{wanted.host} has nothing at {wanted.path}")
    found = sha256(answer[1])
    if found != (listed.sha256 or wanted.sha256):
        raise _Wrong(f"the address leads to a file with sha256 {found[:16]}…, not the released one")
    return answer[1]
