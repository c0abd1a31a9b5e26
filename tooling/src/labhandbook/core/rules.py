"""Rules and findings: what must hold, and where it does not.

A rule has a code, a title, why it matters, how to fix what it finds, and the section of the handbook that teaches it.
Rules are written next to what they check, in a `Rules` family that says what its rules look at. The registry knows
all of them by code; `run` is the one place that carries out a family, applies ignores, removes duplicates and sorts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar

Subject = TypeVar("Subject")
Function = TypeVar("Function", bound="Callable[..., Iterable[At | Finding]]")


class Severity(StrEnum):
    """How much a finding weighs.

    `UNVERIFIED` says that the rule could not look, `IGNORED` that a project ignores the finding for a reason, which
    is then in its message.
    """

    ERROR = "error"
    WARNING = "warning"
    UNVERIFIED = "unverified"
    IGNORED = "ignored"


ERROR, WARNING, UNVERIFIED = Severity.ERROR, Severity.WARNING, Severity.UNVERIFIED


@dataclass(frozen=True)
class Rule:
    """One thing that must hold.

    `section` is the id of the handbook section that teaches it. `requires` are the codes of rules without whose
    success this one can't be judged. `source` names what the real system calls it: its message, code or document.
    `asks` is what its check asks over the network, "" for one that works offline. `since` is the release of this
    package that brought it.
    """

    code: str
    title: str
    why: str
    fix: str
    section: str
    severity: Severity = ERROR
    requires: tuple[str, ...] = ()
    source: str = ""
    asks: str = ""
    since: str = "the first release"


@dataclass(frozen=True)
class At:
    """Something that a rule found: what, where, and how it differs from what the rule says in general.

    `file` is empty for the subject's own file; `line` counts from 1, 0 means the whole file. `fix` replaces the
    rule's remedy where a better one is known.
    """

    message: str
    file: str = ""
    line: int = 0
    severity: Severity | None = None
    fix: str = ""


@dataclass(frozen=True)
class Finding:
    """A place where a rule does not hold. `line` counts from 1; 0 means the whole file."""

    file: str
    line: int
    rule: Rule
    message: str = ""
    severity: Severity | None = None
    remedy: str = ""

    @property
    def weight(self) -> Severity:
        """The severity of this finding, by default its rule's."""
        return self.severity or self.rule.severity

    @property
    def fix(self) -> str:
        """What to do about it, by default what its rule says."""
        return self.remedy or self.rule.fix

    @property
    def place(self) -> str:
        """`file:line`, or the file alone."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def order(self) -> tuple[str, int, str, str]:
        """By file, line, code and message."""
        return self.file, self.line, self.rule.code, self.message

    def moved(self, file: str) -> Finding:
        """The same finding, its file under another name."""
        return replace(self, file=file)

    def as_json(self) -> dict[str, object]:
        """The same facts for machines."""
        return {"file": self.file, "line": self.line, "code": self.rule.code, "severity": str(self.weight),
                "message": self.message, "why": self.rule.why, "fix": self.fix, "section": self.rule.section,
                "source": self.rule.source}


@dataclass(frozen=True)
class Findings(Sequence[Finding]):
    """What a run of rules found, sorted and each thing once. `rules` is how many rules were asked."""

    found: tuple[Finding, ...] = ()
    rules: int = 0

    @classmethod
    def of(cls, findings: Iterable[Finding], rules: int = 0) -> Findings:
        """Findings in the order of files and lines, duplicates removed."""
        return cls(tuple(sorted(dict.fromkeys(findings), key=lambda finding: finding.order)), rules)

    def __getitem__(self, place: Any) -> Any:
        return self.found[place]

    def __len__(self) -> int:
        return len(self.found)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.found)

    def __add__(self, other: Iterable[Finding]) -> Findings:
        return Findings.of([*self.found, *other], self.rules)

    def failed(self, *, strict: bool = False) -> bool:
        """Whether there is an error; with `strict` warnings and what could not be verified count too."""
        weights = {ERROR, WARNING, UNVERIFIED} if strict else {ERROR}
        return any(finding.weight in weights for finding in self.found)

    def counts(self) -> Counter[Severity]:
        """How many findings there are of each weight."""
        return Counter(finding.weight for finding in self.found)


REGISTRY: dict[str, Rule] = {}
Check = Callable[[Subject], Iterable["At | Finding"]]


def register(rule: Rule) -> Rule:
    """Add a rule to the registry and return it. Raises ValueError when its code is taken."""
    if rule.code in REGISTRY:
        raise ValueError(f"rule code {rule.code} is registered twice")
    REGISTRY[rule.code] = rule
    return rule


@dataclass
class Rules(Generic[Subject]):
    """The rules that look at one kind of subject. `file` gives the subject's own file, for findings without one."""

    file: Callable[[Subject], str] = lambda subject: ""
    checks: dict[str, Check[Subject]] = field(default_factory=dict)

    def rule(self, code: str, title: str, *, why: str, fix: str, section: str, severity: Severity = ERROR,
             requires: tuple[str, ...] = (), source: str = "", asks: str = "",
             since: str = Rule.since) -> Callable[[Function], Function]:
        """Register a rule with the function that yields the places where it doesn't hold."""
        return self.finds(register(Rule(code, title, why, fix, section, severity, requires, source, asks, since)))

    def finds(self, rule: Rule) -> Callable[[Function], Function]:
        """Add the function that looks for places where a registered rule does not hold."""

        def keep(check: Function) -> Function:
            if rule.code in self.checks:
                raise ValueError(f"{rule.code} has two checks")
            self.checks[rule.code] = check
            return check

        return keep

    def run(self, subject: Subject, *, ignored: Mapping[str, str] | None = None,
            without: Collection[str] = ()) -> Findings:
        """What the rules find in a subject.

        `ignored` gives a reason for each code whose findings are set aside, rules in `without` don't look. A rule
        doesn't look either where one that it requires found an error or could not look.
        """
        blocked: set[str] = set()
        found: list[Finding] = []
        for code in sorted(self.checks, key=lambda code: (_depth(code), code)):
            if code in without:
                continue
            if blocked.intersection(REGISTRY[code].requires):
                blocked.add(code)
                continue
            new = self.find(code, subject)
            if any(finding.weight in (ERROR, UNVERIFIED) for finding in new):
                blocked.add(code)
            found += new
        return Findings.of(set_aside(found, ignored or {}), len(self.checks))

    def find(self, code: str, subject: Subject) -> list[Finding]:
        """What one rule finds, as it found it."""
        rule = REGISTRY[code]
        return [at if isinstance(at, Finding) else
                Finding(at.file or self.file(subject), at.line, rule, at.message, at.severity, at.fix)
                for at in self.checks[code](subject)]


def set_aside(findings: Iterable[Finding], ignored: Mapping[str, str]) -> Iterator[Finding]:
    """The findings, those whose code has a reason in `ignored` marked as ignored for it."""
    for finding in findings:
        reason = ignored.get(finding.rule.code, "").strip()
        yield replace(finding, severity=Severity.IGNORED,
                      message=f"{finding.message} (ignored: {reason})") if reason else finding


def unverified(message: str, file: str = "", line: int = 0) -> At:
    """A rule could not look."""
    return At(message, file, line, UNVERIFIED)


def _depth(code: str) -> int:
    """How many rules must be judged before this one."""
    return max((1 + _depth(each) for each in REGISTRY[code].requires), default=0)
