"""The commands on the book: each parses, calls one function and prints."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path

import click

from labhandbook.cli.report_options import findings_format_option, format_option, report_options, show_report
from labhandbook.cli.shared_options import FINDINGS, FINE, Command, book_option, shown
from labhandbook.core.errors import HandbookError
from labhandbook.core.files import write_atomic
from labhandbook.core.rules import Findings
from labhandbook.core.terminal import Progress, show_findings


@click.command(cls=Command, section="sec-contributing-preview")
@book_option
@click.option("--engine", type=click.Choice(["quarto", "pandoc"]), help="Default: Quarto if it is on PATH.")
@click.option("--output", type=click.Path(path_type=Path), help="Folder to fill (default: the book's output-dir).")
@click.option("--to", "formats", multiple=True, type=click.Choice(["html", "pdf", "epub"]),
              help="A format; repeat the option for several (default: all).")
@format_option
def render(start: Path, engine: str | None, output: Path | None, formats: tuple[str, ...], form: str) -> int:
    """Render the whole handbook."""
    from labhandbook.book.engine.quarto import quarto_program, render_quarto
    from labhandbook.book.engine.render import FORMATS, Rendered, refuse_output, render_pandoc
    from labhandbook.book.load import load_book
    from labhandbook.core import job_summary
    from labhandbook.core.report import counts

    book = load_book(start)
    target = (output or book.output).resolve()
    refuse_output(book, target, named=output is not None)
    engine = engine or ("quarto" if quarto_program() else "pandoc")
    progress = Progress(quiet=form == "json")
    if engine == "quarto":
        progress.stage("Quarto")
        render_quarto(book, target, formats)
        result = Rendered("quarto", target, len(book.pages), Findings())
    else:
        result = render_pandoc(book, target, formats or FORMATS, progress.stage)
    progress.end()
    if result.findings.failed():
        job_summary.tell_findings(result.findings, "Handbook render")
    if form == "json":
        click.echo(json.dumps(result.as_json()))
    elif result.findings.failed():
        show_findings(result.findings)
        progress.last(False, f"nothing was written to {target.name}/: {counts(result.findings)}")
    else:
        show_findings(result.findings)
        progress.last(True, f"{result.pages} pages by {result.engine} in {shown(target)}/ "
                            f"(open {shown(target / 'index.html')}, or read it with search: make preview)")
    return FINDINGS if result.findings.failed() else FINE


@click.command(cls=Command, section="sec-contributing-preview")
@book_option
@click.option("--port", type=click.IntRange(0, 65535), default=4444, show_default=True, help="0 takes a free one.")
@click.option("--open/--no-open", "browse", default=None, help="Open a browser (default: on a terminal).")
def preview(start: Path, port: int, browse: bool | None) -> int:
    """Serve the handbook and show every edit at once."""
    from labhandbook.book.load import load_book
    from labhandbook.book.preview.serve import serve

    serve(load_book(start), port, browse=sys.stdout.isatty() if browse is None else browse)
    return FINE


@click.command("search-index", cls=Command, section="sec-contributing-preview")
@book_option
@click.argument("site", required=False, type=click.Path(path_type=Path))
def search_index(start: Path, site: Path | None) -> int:
    """Put the search into the pages that Quarto has rendered.

    Quarto runs it after each render. SITE is their folder (default: the book's output-dir).
    """
    from labhandbook.book.engine.after_quarto import complete
    from labhandbook.book.load import load_book

    book = load_book(start)
    folder = (site or book.output).resolve()
    pages = complete(book, folder)
    click.echo(f"the search of {shown(folder)}/ finds {pages} page{'s' if pages != 1 else ''}")
    return FINE


@click.command(cls=Command, section="sec-contributing-facts")
@book_option
@click.option("--write", is_flag=True, help="Write them to _variables.yml, where Quarto reads them.")
def facts(start: Path, write: bool) -> int:
    """Show the variables that chapters take from the facts files."""
    from labhandbook.book.facts import VARIABLES, variables, write_variables
    from labhandbook.book.load import load_book

    book = load_book(start)
    if write:
        changed = write_variables(book)
        click.echo(f"{VARIABLES} {'written' if changed else 'is up to date'}")
    else:
        click.echo(json.dumps(variables(book), indent=2, ensure_ascii=False))
    return FINE


@click.command(cls=Command, section="sec-contributing-check")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--site", type=click.Path(path_type=Path), help="Check this built site too (default: the book's own).")
@report_options
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="Judge the facts as of this day.")
def check(path: Path | None, site: Path | None, form: str, output: Path | None, today: datetime | None) -> int:
    """Check the whole handbook, or the chapter or folder at PATH."""
    from labhandbook.book.check_book import check_book
    from labhandbook.book.load import find_root
    from labhandbook.core.report import counts

    progress = Progress()
    found = check_book(path or find_root(Path.cwd()), site=site, today=today.date() if today else None)
    show_report(found.findings, form, output, "Handbook check")
    pages = f"{found.pages} page{'s' if found.pages != 1 else ''}"
    progress.last(not found.findings.failed(), f"{pages}, {found.findings.rules} rules: {counts(found.findings)}")
    return FINDINGS if found.findings.failed() else FINE


@click.command(cls=Command, section="sec-contributing-upkeep")
@book_option
@click.option("--issue", is_flag=True, help="Open, update or close the issue about this on GitHub.")
@findings_format_option
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="Judge the facts as of this day.")
def upkeep(start: Path, issue: bool, form: str, today: datetime | None) -> int:
    """Find what is out of date: addresses that don't answer, facts past their review day, newer versions of tools."""
    from labhandbook.book.load import load_book
    from labhandbook.book.upkeep.survey import survey
    from labhandbook.core import job_summary
    from labhandbook.core.report import counts

    progress, book = Progress(quiet=form == "json"), load_book(start)
    found = survey(book, today.date() if today else datetime.now().date(), progress.stage)
    progress.end()
    show_report(found.findings, form, None, "Upkeep of the handbook")
    done = ""
    if issue:
        from labhandbook.book.upkeep.upkeep_issue import deliver
        from labhandbook.core.git import read_git
        from labhandbook.core.github_api import open_github

        state = deliver(open_github(read_git(book.root, ask_remote=False)), found.findings, found.blind)
        job_summary.summarise(f"The issue: {state}")
        done = f"; {state}"
    progress.last(not found.failed, f"{found.asked} addresses checked: {counts(found.findings)}{done}")
    return FINDINGS if found.failed and not issue else FINE


@click.command(cls=Command, section="sec-book-rules")
@book_option
@click.argument("code", required=False)
@click.option("--write", is_flag=True, help="Write the reference pages of the book from the rules.")
def rules(start: Path, code: str | None, write: bool) -> int:
    """Explain the rule with this code, or list all rules."""
    from labhandbook.core import rule_pages
    from labhandbook.core.rules import REGISTRY

    rule_pages.load(code.upper().rstrip("0123456789") if code else "")
    if write:
        from labhandbook.book.load import find_root

        for path, text in rule_pages.pages(find_root(start.resolve())).items():
            write_atomic(path, text)
            click.echo(f"{shown(path)} written")
    elif code is None:
        for rule in sorted(REGISTRY.values(), key=lambda rule: rule.code):
            click.echo(f"{rule.code}  {rule.title}")
    elif code.upper() in REGISTRY:
        click.echo(rule_pages.explain(REGISTRY[code.upper()]), nl=False)
    else:
        raise HandbookError(f"no rule has the code {code}", todo="see all codes with: handbook rules",
                            section="sec-book-rules")
    return FINE
