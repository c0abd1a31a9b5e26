"""The table: what each command takes, and every hostile input of each kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tooling.tests.hostile import books, others, packages
from tooling.tests.hostile.parts import Files

PACKAGE: Files = packages.BASE
BUILT: Files = {**PACKAGE, ".handbook/release/demo-1.0.0/ledger.json": packages.LEDGERS["files-types"]}


@dataclass(frozen=True)
class Kind:
    """A kind of input: what lies there ordinarily, and the files that each hostile input puts in its place."""

    base: Files
    inputs: Mapping[str, Files]
    repository: bool = False  # whether it is a git repository with a tag


KINDS: dict[str, Kind] = {
    "book": Kind(books.BASE, books.INPUTS),
    "package": Kind(PACKAGE, packages.INPUTS, repository=True),
    "recipe": Kind({"recipe.yaml": others.dump(others.RECIPE)}, others.RECIPES),
    "feedstock": Kind({"recipe/recipe.yaml": others.dump(others.RECIPE)}, {
        name: {f"recipe/{file}": node for file, node in files.items()} for name, files in others.RECIPES.items()
        if "." not in files}, repository=True),
    "dist": Kind({"recipe.yaml": others.dump(others.RECIPE)}, others.DISTS),
    "archive": Kind({"recipe.yaml": others.dump(others.RECIPE), "dist/x.txt": ""}, others.ARCHIVES),
    "script": Kind({}, others.SCRIPTS),
    "answer": Kind({}, others.ANSWERS),
    "talk": Kind({others.TALK_FILE: others.dump(others.TALK)}, others.TALKS),
    "attendance": Kind({"attendance.csv": "name,affiliation,where,people\n"}, others.LISTS),
    "watch": Kind({"watch.yml": others.dump(others.WATCHED)}, others.WATCHES),
    "site": Kind({"index.html": "<main><h1 id='a'>A</h1></main>"}, others.SITES),
    "nothing": Kind({}, {"nothing": {}}),
}


@dataclass(frozen=True)
class Call:
    """How a command is called with an input of a kind; {} is the input's folder.

    `writes` are the paths below the folder that the command may make or change; "" is all of it. Without `writes` the
    command only looks, and nothing may change.
    """

    kind: str
    arguments: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    serves: bool = False  # whether it runs until it is stopped


STATE = (".handbook", ".git/handbook")
CALLS: dict[tuple[str, ...], tuple[Call, ...]] = {
    ("render",): (Call("book", ("--book", "{}", "--engine", "pandoc", "--to", "html"), ("_book", "_variables.yml")),),
    ("preview",): (Call("book", ("--book", "{}", "--port", "0", "--no-open"), serves=True),),
    ("facts",): (Call("book", ("--book", "{}")), Call("book", ("--book", "{}", "--write"), ("_variables.yml",))),
    ("check",): (Call("book", ("{}",)), Call("book", ("{}/a.qmd",))),
    ("upkeep",): (Call("book", ("--book", "{}")),),
    ("rules",): (Call("book", ("--book", "{}", "--write"), ("",)),),
    ("release", "check"): (Call("package", ("{}",)), Call("package", ("{}", "--offline"))),
    ("release", "build"): (Call("package", ("{}",), STATE),),
    ("release", "inspect"): (Call("package", ("{}", "--compare-with", "none"), STATE),),
    ("release", "test"): (Call("package", ("{}",), STATE),),
    ("release", "rehearse"): (Call("package", ("{}", "--offline"), STATE),),
    ("release", "publish"): (Call("package", ("{}", "--to", "testpypi", "--patience", "0"), STATE),),
    ("release", "verify"): (Call("package", ("{}", "--from", "testpypi", "--patience", "0"), STATE),),
    ("release", "status"): (Call("package", ("{}",), STATE),),
    ("release", "new"): (Call("package", ("{}/new", "--name", "demo"), ("new",)), Call("package", ("{}",))),
    ("release", "notes"): (Call("package", ("{}",)),),
    ("release", "doctor"): (Call("package", ("{}", "--offline")),),
    ("release", "init"): (Call("package", ("{}", "--repository", "a/b", "--handbook", "a" * 40),
                                        (".github", "pyproject.toml")),),
    ("release", "admit"): (Call("package", ("{}", "--patience", "0")),),
    ("release", "announce"): (Call("package", ("{}", "--attach", "{}/src"), STATE),),
    ("recipe", "new"): (Call("dist", ("{}/demo-1.0.0.tar.gz", "--output", "{}"), ("recipes",)),),
    ("recipe", "lint"): (Call("recipe", ("{}", "--offline")),),
    ("recipe", "build"): (Call("recipe", ("{}", "--output", "{}/output"), ("output",)),
                          Call("archive", ("{}", "--dist", "{}/dist", "--output", "{}/output"), ("output",))),
    ("recipe", "diff"): (Call("recipe", ("{}", "{}/nowhere.tar.gz")), Call("dist", ("{}", "{}/demo-1.0.0.tar.gz")),
                         Call("dist", ("{}", "{}/demo-1.0.0.tar.gz", "--write"), ("recipe.yaml",))),
    ("recipe", "submit"): (Call("recipe", ("{}", "--clone", "{}"), ("",)),),
    ("recipe", "update"): (Call("feedstock", ("{}", "--version", "1.0.1"), ("",)),),
    ("job", "check"): (Call("script", ("{}/job.sh", "--cluster", "lumi", "--from", "{}")),
                       Call("script", ("{}/job.sh", "--cluster", "turso", "--from", "{}"))),
    ("job", "cost"): (Call("script", ("{}/job.sh", "--cluster", "lumi")), Call("script", ("{}/job.sh",))),
    ("job", "new"): (Call("nothing", ("{}/job.sh", "--cluster", "lumi"), ("job.sh",)),),
    ("job", "choices"): (Call("nothing", ()),),
    ("job", "scripts"): (Call("script", ("{}",), ("",)),),
    ("job", "efficiency"): (Call("answer", ("1", "--from", "{}/answer.txt")),),
    ("job", "collect"): (Call("script", ("{}/job.sh",)), Call("script", ("{}/job.sh", "--output", "{}/runs.csv"),
                                                              ("runs.csv",))),
    ("job", "explain"): (Call("nothing", ("no such error",)),),
    ("job", "facts"): (Call("nothing", ("--cluster", "lumi")),),
    ("job", "watch"): (Call("nothing", ("1",)),),
    ("search-index",): (Call("site", ("{}",), ("",)),),
    ("seminar", "init"): (Call("talk", ("{}",), ("series.yml", "templates")),),
    ("seminar", "new"): (Call("talk", ("{}", "--speaker", "A", "--affiliation", "A", "--title", "A", "--date",
                                       "2026-12-10", "--start", "10:15", "--end", "11:00", "--room", "A", "--zoom",
                                       "", "--host", "A", "--recording", "no"), ("",)),),
    ("seminar", "check"): (Call("talk", ("{}",)),),
    ("seminar", "make"): (Call("talk", ("{}/" + others.TALK_FILE,), ("made",)),),
    ("seminar", "feed"): (Call("talk", ("{}",), ("talks.ics",)),),
    ("seminar", "attendance"): (Call("attendance", ("{}/attendance.csv",)),),
    ("seminar", "due"): (Call("talk", ("{}", "--today", "2026-11-26")),),
    ("watch",): (Call("watch", ("{}/watch.yml", "--once", "--state", "{}/state.json"), (
        "state.json", "state.json.before", "state.json.lock")),),
}
# Not every hostile word can be given to every option: these would do what they say.
SPARED = {("preview", "port"), ("release new", "folder"), ("job watch", "then")}


@dataclass(frozen=True)
class Case:
    """One run: a command, how it is called, and the input that it gets."""

    command: tuple[str, ...]
    number: int  # of the call
    kind: str
    name: str
    words: tuple[str, ...] = field(default=())  # instead of the call's own arguments

    @property
    def title(self) -> str:
        """A name that says all of it."""
        return f"{' '.join(self.command)}[{self.number}] {self.kind}:{self.name}"

    @property
    def call(self) -> Call:
        """How the command is called."""
        return CALLS[self.command][self.number]


def cases() -> Iterator[Case]:
    """Every command with every input of the kinds that it takes."""
    for command, calls in CALLS.items():
        for number, call in enumerate(calls):
            for name in KINDS[call.kind].inputs:
                yield Case(command, number, call.kind, name)


def sample() -> Iterator[Case]:
    """Every input once, dealt out to the commands that take its kind."""
    for kind, found in KINDS.items():
        calls = [(command, number) for command, its in CALLS.items() for number,
                 call in enumerate(its) if call.kind == kind]
        for place, name in enumerate(found.inputs):
            yield Case(*calls[place % len(calls)], kind, name)
