"""One issue that says what has aged: opened, updated as long as something is left, and closed when nothing is."""

from __future__ import annotations

from collections.abc import Sequence

from labhandbook.core.github_api import GitHub
from labhandbook.core.report import report
from labhandbook.core.rules import Finding, Severity

MARK = "<!-- handbook upkeep finds this issue by this line -->"
TITLE, LABEL = "Upkeep of the handbook", "upkeep"
LARGEST = 60_000  # GitHub refuses a body of more than 65,536 characters.
OPENING = ("Nobody did anything wrong: these things age by themselves. Correct them on a branch, see what is left "
           "with `handbook upkeep`, and open a pull request. This text is written again every week, and the issue "
           "is closed when nothing is left.")


def deliver(github: GitHub, findings: Sequence[Finding], blind: bool) -> str:
    """Update the issue to what was found; what was done with it, and its address.

    What could not be verified is in the issue but opens none. With `blind`, something could not be checked
    at all, and an issue is not closed. Raises HandbookError when GitHub refuses.
    """
    known = [each for each in github.every("issues", labels=LABEL, state="all")
             if MARK in str(each.get("body")) and "pull_request" not in each]
    # The newest that is open, else the newest.
    latest = max(known, key=lambda each: (each["state"] == "open", each["number"]), default=None)
    is_open = latest is not None and latest["state"] == "open"
    wanted = any(finding.weight in (Severity.ERROR, Severity.WARNING) for finding in findings)
    text = body(findings)
    if latest is None:
        if not wanted:
            return "no issue is needed"
        made = github.send("POST", "issues", title=TITLE, body=text, labels=[LABEL])
        return f"opened {made['html_url']}"
    number, place = latest["number"], latest["html_url"]
    if wanted or (is_open and blind):
        github.send("PATCH", f"issues/{number}", body=text, state="open", title=TITLE)
        return f"{'updated' if is_open else 'opened again'} {place}"
    if not is_open:
        return "no issue is needed"
    github.send("POST", f"issues/{number}/comments", body="Nothing is left.")
    github.send("PATCH", f"issues/{number}", body=text, state="closed", state_reason="completed")
    return f"closed {place}"


def body(findings: Sequence[Finding]) -> str:
    """The issue's text, cut where GitHub would refuse it."""
    table = report(findings, "markdown", title=TITLE)
    if len(table) > LARGEST:
        kept = table[:LARGEST].rpartition("\n")[0]
        table = f"{kept}\n\nThe rest is in the workflow's log.\n"
    return f"{MARK}\n{OPENING}\n\n{table}"
