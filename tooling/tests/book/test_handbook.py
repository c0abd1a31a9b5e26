"""The handbook itself, as it is rendered: whole, true to its sources, and all of what the old handbook taught."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from labhandbook.book.engine.pandoc_worker import pandoc_program
from labhandbook.book.facts import load_facts
from labhandbook.book.load import load_book
from labhandbook.cli.shared_options import Command
from labhandbook.core.rules import REGISTRY
from tooling.tests.book.page_reader import Page, squeeze, text_of
from tooling.tests.cli.test_command_line import COMMANDS
from tooling.tests.conftest import LACKS, ROOT, run

Pages = dict[str, Page]
HERE = Path(__file__).parent


def yaml_file(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


CONFIG = yaml_file(ROOT / "_quarto.yml")["book"]
SEED = yaml_file(HERE / "seed_sections.yml")
WORKS = yaml_file(HERE / "works.yml")


def tracked() -> list[Path]:
    """The files that git tracks, or would with the next commit."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip(LACKS + "the repository's history")
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


# The whole of it


@pytest.mark.walk
def test_all_formats_render_without_a_finding(handbook_copy: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    done = run("render", "--book", handbook_copy, "--engine", "pandoc", "--output", output, "--format", "json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["findings"], answer["failed"]) == (0, [], False)
    assert answer["pages"] == len(load_book(ROOT).pages)
    assert {"Lab-Handbook.pdf", "Lab-Handbook.epub", "index.html"} <= {path.name for path in output.iterdir()}


def test_every_page_of_the_configuration_is_there(handbook: Pages) -> None:
    assert set(handbook) == {page.url for page in load_book(ROOT).pages}


def test_every_link_inside_the_book_finds_its_place(handbook: Pages, handbook_site: Path) -> None:
    for page in handbook.values():
        for link in [*page.links, *page.cited, *page.images]:
            path, _, fragment = link.target.partition("#")
            if re.match(r"[a-z]+:", link.target):
                continue
            assert (handbook_site / path).is_file(), f"{page.url} leads to {link.target}"
            if fragment and path in handbook:
                assert handbook[path].html.find(id=fragment), f"{page.url} leads to {link.target}"


def test_the_home_page_says_how_to_cite(handbook: Pages) -> None:
    cited = yaml_file(ROOT / "CITATION.cff")
    assert f"{cited['authors'][0]['name']}. {cited['title']}. {cited['url']}." in handbook["index.html"].text


def test_pages_are_short_enough_to_be_read_whole() -> None:
    """In words without code. The organiser's page is one whole job, read over weeks; rules are looked up."""
    most = {"seminars/organising.qmd": 3_000, "packaging/github-actions.qmd": 1_500}
    for page in (ROOT / "chapters").rglob("*.qmd"):
        prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        name = page.relative_to(ROOT / "chapters").as_posix()
        assert name.endswith("rules.qmd") or len(prose.split()) <= most.get(name, 2_500), name


def test_a_shared_link_has_a_card(handbook: Pages, handbook_site: Path) -> None:
    site = yaml_file(ROOT / "_quarto.yml")["book"]["site-url"]
    for page in handbook.values():
        cards = {str(tag["property"]): tag["content"] for tag in page.html.select("meta[property^='og:']")}
        assert cards["og:title"], page.url
        assert bool(cards.get("og:description")) is (page.url != "references.html"), page.url
        picture = (handbook_site / str(cards["og:image"]).removeprefix(f"{site}/")).read_bytes()
        size = [int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])]  # of a PNG
        assert size == [int(str(cards[f"og:image:{side}"])) for side in ("width", "height")] == [1200, 630]
        style = page.html.select_one("meta[name='twitter:card']")
        assert style and style["content"] == "summary_large_image"


def test_words_of_the_glossary_are_used_and_defined(handbook: Pages) -> None:
    words = yaml_file(ROOT / "_extensions/handbook/glossary.yml")
    listed = handbook["chapters/glossary.html"].main.select("dt")
    names = {f"gloss-{word.lower().replace(' ', '-')}": word for word in words}
    assert [text_of(term) for term in listed] == sorted(words, key=str.lower)
    assert {str(term["id"]) for term in handbook["chapters/glossary.html"].main.select("dt [id]")} == names.keys()
    used = set()
    for page in handbook.values():
        for link in page.main.select("a.gloss"):
            path, _, name = page.absolute(str(link["href"])).partition("#")
            assert path == "chapters/glossary.html" and text_of(link).lower().startswith(names[name].lower())
            assert squeeze(str(link["title"])) == re.sub(r"`", "", words[names[name]])
            used.add(name)
    assert used == names.keys()


def test_previous_and_next_leave_out_the_rules(handbook: Pages) -> None:
    rules = {page.url for page in load_book(ROOT).pages if page.appendix}
    steps = {page.url: [step.target for way in ("previous", "next") if (step := page.step(way))]
             for page in handbook.values()}
    assert len(rules) == 11 and not rules & {target for each in steps.values() for target in each}
    assert {url for url, targets in steps.items() if not targets} == {*rules, "references.html"}


def test_references_to_sections_say_their_titles(handbook: Pages) -> None:
    numbered = [page for page in handbook.values() if page.number or page.own_title != page.title]
    shown = [(page.url, link) for page in numbered for link in page.references]
    named = {f"{page.url}#{one.id}": f"{one.text} {one.number}"
             for page in handbook.values() for one in page.headings}
    named |= {f"{page.url}#{page.title_id}": f"{page.own_title} {page.number}".strip() for page in handbook.values()}
    assert sum(link.target in named for _, link in shown) > 200
    for url, link in shown:
        wanted = named.get(link.target, link.text)
        # An appendix has its letter in the title alone.
        assert link.text == wanted or re.fullmatch(re.escape(wanted) + " [A-Z]", link.text), f"{url}: {link.target}"


# Under Quarto, whose tables the filter does not see, it reads the titles of the sources.
TITLES = """
quarto, FORMAT = { project = { directory = arg[1] } }, 'html'
local cite = dofile(arg[1] .. '/_extensions/handbook/references.lua')[1].Cite
for id in io.lines() do
  local found = cite(pandoc.Cite({}, { pandoc.Citation(id, 'AuthorInText') }))
  print(found and pandoc.utils.stringify(found.citations[1].prefix) or '')
end
"""


def test_quarto_gets_the_same_titles(handbook: Pages, tmp_path: Path) -> None:
    titles = {one.id: one.text for page in handbook.values() for one in page.headings if one.id.startswith("sec-")}
    titles |= {page.title_id: page.own_title for page in handbook.values() if page.title_id.startswith("sec-")}
    script = tmp_path / "titles.lua"
    script.write_text(TITLES, encoding="utf-8")
    done = subprocess.run([pandoc_program(), "lua", script, ROOT], input="".join(f"{id}\n" for id in titles),
                          capture_output=True, text=True, check=True)
    assert dict(zip(titles, map(squeeze, done.stdout.splitlines()), strict=True)) == titles


def test_no_link_leads_to_this_machine(handbook: Pages) -> None:
    for page in handbook.values():
        for tag in page.html.select("[href], [src]"):
            address = str(tag.get("href") or tag.get("src"))
            here = re.match(r"(https?:)?//(localhost|127\.|0\.0\.0\.0|\[::1\])|file:|/", address)
            assert not here, f"{page.url}: {address}"


def test_no_source_is_left_in_the_text(handbook: Pages) -> None:
    for page in handbook.values():
        visible = Page(page.site, page.url).main
        for code in visible.select("code, pre"):
            code.decompose()
        words = text_of(visible)
        found = re.search(r":::|\{\{<|\{#|hbsc\d|\?(sec|fig|tbl|eq)-\w", words)
        assert not found, f"{page.url} shows {found[0]}"


# What the old handbook taught


@pytest.mark.parametrize("section", SEED)
def test_section_of_the_old_handbook(handbook: Pages, section: str) -> None:
    path, _, name = SEED[section].partition("#")
    assert handbook[path.removesuffix("qmd") + "html"].html.find(id=name), f"{path} has no {name}"


@pytest.fixture(scope="module")
def bibliography() -> dict[str, dict[str, Any]]:
    """references.bib as pandoc reads it."""
    done = subprocess.run([pandoc_program(), "-f", "bibtex", "-t", "csljson", ROOT / "references.bib"],
                          capture_output=True, text=True, check=True)
    return {entry["id"]: entry for entry in json.loads(done.stdout)}


def test_works_are_those_of_the_bibliography(bibliography: dict[str, dict[str, Any]]) -> None:
    assert sorted(WORKS) == sorted(bibliography)


@pytest.mark.parametrize("key", WORKS)
def test_work_was_looked_up_twice(bibliography: dict[str, dict[str, Any]], key: str) -> None:
    work, entry = WORKS[key], bibliography[key]
    plain = re.sub(r"<[^>]+>", "", entry["title"])
    assert squeeze(plain).casefold() == squeeze(str(work["title"])).casefold()
    assert bool(work.get("doi")) or bool(work.get("url")), "a reader must be able to find it"
    assert str(work.get("doi", "")) == str(entry.get("DOI", ""))
    if "doi" not in work:
        assert work["url"] == entry["URL"]
    second = str(work["second-source"]).split()[0]
    assert second.startswith("https://") and second != work.get("url")


def test_every_work_is_listed_on_the_page(handbook: Pages) -> None:
    assert {name.removeprefix("ref-") for name in handbook["references.html"].bibliography} == set(WORKS)


# Identity


def test_package_is_called_as_the_book() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["urls"]["Documentation"] == CONFIG["site-url"]
    assert project["urls"]["Repository"] == CONFIG["repo-url"]
    assert project["urls"]["Changelog"].startswith(f"{CONFIG['repo-url']}/blob/{CONFIG['repo-branch']}/")
    assert (ROOT / project["urls"]["Changelog"].rpartition("/")[2]).is_file()
    assert [author["name"] for author in project["authors"]] == [CONFIG["author"]]


def test_citation_agrees() -> None:
    citation = yaml_file(ROOT / "CITATION.cff")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (citation["title"], citation["url"], citation["repository-code"]) == (
        CONFIG["title"], CONFIG["site-url"], CONFIG["repo-url"])
    assert [author["name"] for author in citation["authors"]] == [CONFIG["author"]]
    assert citation["license"] == project["license"]


def test_readme_agrees() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(f"# {CONFIG['title']}\n")
    assert CONFIG["site-url"] in readme and CONFIG["repo-url"] in readme
    host = urlsplit(CONFIG["repo-url"]).netloc
    owner = urlsplit(CONFIG["repo-url"]).path
    for address in re.findall(rf"https://{re.escape(host)}[^\s)>`]*", readme):
        assert urlsplit(address).path.startswith(owner), address
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", readme):
        assert (ROOT / target).exists(), f"README.md leads to {target}"


def test_no_file_names_a_host_of_the_package_index() -> None:
    """They come from twine; a second copy would go stale, and a test could upload by it."""
    from twine.repository import TEST_WAREHOUSE, WAREHOUSE_WEB
    from twine.utils import DEFAULT_REPOSITORY, TEST_REPOSITORY

    addresses = (TEST_WAREHOUSE, WAREHOUSE_WEB, DEFAULT_REPOSITORY, TEST_REPOSITORY)
    hosts = {urlsplit(address).netloc for address in addresses}
    assert len(hosts) >= 3
    pattern = re.compile("|".join(rf"(?<![\w-]){re.escape(host)}" for host in hosts))
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1} {match[0]}"
                  for match in pattern.finditer(text)]
    assert not found, "\n".join(found)


# The first page


def within_reach(pages: Pages, target: str) -> bool:
    """Whether the section, or the page, that a link leads to has something to do: commands or a list."""
    path, _, name = target.partition("#")
    page = pages[path]
    place = page.main.find(id=name) if name and name != page.title_id else page.main
    return place is not None and bool(place.select("pre, ol, ul:not(.page-facts ul), table"))


def test_first_page_offers_a_dozen_tasks(handbook: Pages) -> None:
    home = handbook["index.html"]
    targets = [home.absolute(str(tag["href"])) for tag in home.main.select(".board a")]
    assert 6 <= len(targets) <= 12
    assert len(set(targets)) == len(targets)
    for target in targets:
        page = handbook[target.partition("#")[0]]
        further = [link.target for link in page.links if link.target.partition("#")[0] in handbook]
        assert within_reach(handbook, target) or any(within_reach(handbook, link) for link in further), target


# Commands, rules, facts, figures, colours


def test_sections_of_commands_and_rules_are_rendered(handbook: Pages) -> None:
    ids = {str(tag["id"]) for page in handbook.values() for tag in page.html.select("[id^=sec-]")}
    for words, command in COMMANDS.items():
        assert isinstance(command, Command) and command.section in ids, words
    for rule in REGISTRY.values():
        assert rule.section in ids, rule.code


def test_every_fact_has_a_source_and_days() -> None:
    facts = load_facts(ROOT)
    assert len(facts) > 200
    lacking = [f"{fact.file}:{fact.line} {fact.name}" for fact in facts
               if not (fact.source and fact.checked and fact.review_by and fact.checked < fact.review_by)]
    assert not lacking, "\n".join(lacking)


def test_facts_are_used() -> None:
    paths = [*ROOT.glob("*.qmd"), *ROOT.glob("chapters/**/*.qmd"), *ROOT.glob("chapters/**/*.sh")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    used = set(re.findall(r"\{\{<\s*var\s+([\w.-]+)", text))
    assert len(used & {fact.name for fact in load_facts(ROOT)}) > 100


def test_every_drawn_figure_is_shown(handbook: Pages) -> None:
    shown = {image.target for page in handbook.values() for image in page.images}
    for path in (ROOT / "chapters").rglob("*.svg"):
        assert path.relative_to(ROOT).as_posix() in shown


def test_pictures_have_alternative_text(handbook: Pages) -> None:
    for page in handbook.values():
        for image in page.images:
            assert len(image.text) > 20, f"{page.url}: {image.target}"


TOKENS = {
    "body-bg": "bg", "body-color": "text", "primary": "accent", "secondary": "muted", "link-color": "accent",
    "border-color": "line", "table-border-color": "line", "text-muted": "muted", "code-color": "text",
    "code-bg": "surface", "code-block-bg": "surface", "sidebar-bg": "bg", "sidebar-fg": "muted",
    "sidebar-hl": "accent", "footer-bg": "bg", "footer-fg": "muted", "toc-color": "accent",
    "toc-inactive-border": "line", "callout-color-note": "note", "callout-color-tip": "tip",
    "callout-color-important": "important", "callout-color-caution": "caution", "callout-color-warning": "warning",
}


@pytest.mark.parametrize(("theme", "place"), [("light", 0), ("dark", 1)])
def test_quarto_has_the_colours_of_the_tokens(theme: str, place: int) -> None:
    tokens = {name: values for name, *values in re.findall(
        r"--hb-([\w-]+): light-dark\((#\w+), (#\w+)\)",
        (ROOT / "_extensions/handbook/tokens.css").read_text(encoding="utf-8"))}
    text = (ROOT / f"_extensions/handbook/{theme}.scss").read_text(encoding="utf-8")
    set_to = dict(re.findall(r"^\$([\w-]+): (#\w+);", text, re.MULTILINE))
    assert set_to == {name: tokens[token][place] for name, token in TOKENS.items()}
    brand = yaml_file(ROOT / f"_extensions/handbook/brand-{theme}.yml")["color"]
    assert brand == {name: tokens[TOKENS[name]][place] for name in brand}


def test_every_command_tab_leads_to_the_kit() -> None:
    tabs = [(path.name, tab) for path in (ROOT / "chapters").rglob("*.qmd")
            for tab in re.findall(r"^## By command\n.*?(?=^## |^:::$)", path.read_text(encoding="utf-8"),
                                  re.MULTILINE | re.DOTALL)]
    assert len(tabs) > 20 and not [name for name, tab in tabs if "(../kit.qmd#sec-kit" not in tab]
