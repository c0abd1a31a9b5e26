"""For every rule of the book a seeded defect, with its place, and a near miss that passes."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """Files of a book by path; of a seeded defect, the place and the words of its finding."""

    files: dict[str, str] = field(default_factory=dict)
    place: str = ""
    says: str = ""
    site: dict[str, str] = field(default_factory=dict)


def page(code: str, body: str, *, front: str = "") -> dict[str, str]:
    """A chapter named after a rule; without front matter its body begins on line 3."""
    name = code.lower()
    return {f"chapters/{name}.qmd": f"{front}# Chapter of {code} {{#sec-{name}}}\n\n{body}\n"}


WORDS = "topic:things, level:core, minutes:30, kind:article"


def entry(key: str, body: str, *, words: str = WORDS, why: str = "annotation = {says why}") -> str:
    return (f"@article{{{key},\n  title = {{Title of {key}}},\n  shorttitle = {{{key}}},\n  year = {{2020}},\n"
            f"  {body.rstrip(',')},\n  keywords = {{{words}}},\n  {why}\n}}\n")


def works(*entries: tuple[str, str]) -> dict[str, str]:
    """A bibliography of keys and keywords."""
    return {"references.bib": "".join(entry(key, f"doi = {{10.1/{key}}}", words=words) for key, words in entries)}


def seed(code: str, body: str, line: int, says: str, *, front: str = "", **more: str) -> Case:
    return Case({**page(code, body, front=front), **more}, f"chapters/{code.lower()}.qmd:{line}", says)


CLUSTERS = ('source: "a page"\nchecked: 2026-11-01\nreview-by: 2027-11-01\n'
            'tower: {partitions: {main: {time-limit: "3 days", max-nodes: 16}}, storage: {home: {quota: "20 GB"}}}\n')

SEEDED: dict[str, Case] = {
    "BOOK001": seed("BOOK001", "Text.", 2, "front matter is not valid YAML", front="---\ndescription: [open\n---\n"),
    "BOOK002": seed("BOOK002", "Text.\n\n{{< include _partt.qmd >}}", 5, "did you mean _part.qmd?",
                    **{"chapters/_part.qmd": "Words.\n"}),
    "BOOK003": seed("BOOK003", "{{< page-fakts minutes=\"3\" >}}", 3, "did you mean page-facts?"),
    "BOOK004": seed("BOOK004", "Text {{< var things.host.naame >}}.", 3, "did you mean things.host.name?"),
    "BOOK005": seed("BOOK005", "Text on `@sec-book005-prat`.\n\nSee @sec-book005-prat.\n\n"
                    "## Part {#sec-book005-part}", 5,
                    "did you mean @sec-book005-part?"),
    "BOOK006": seed("BOOK006", "As @adams2019 says, and @adams2020 too.\n\nAs [see @adms2020, p. 3] says.", 3,
                    "@adams2019 is not in the bibliography; did you mean @adams2020?"),
    "BOOK007": seed("BOOK007", "[a](missing.qmd)\n[b](boook007.qmd)", 4, "did you mean book007.qmd?"),
    "BOOK008": seed("BOOK008", "## A {#sec-book008-a}\n\nSee [a](#sec-book008-a).\n\n## B {#sec-book008-a}", 7,
                    "is used twice on this page"),
    "BOOK009": seed("BOOK009", "::: {.column-margin}\nAside.\n:::", 3, ".column-margin"),
    "BOOK010": seed("BOOK010", "Use `.callout-noet`.\n\n::: {.callout-noet}\nText.\n:::", 5,
                    "did you mean callout-note?"),
    "BOOK011": seed("BOOK011", "[x](#sec-book011-prat)\n\n## Part {#sec-book011-part}", 3,
                    "did you mean #sec-book011-part?"),
    "BOOK012": Case({"chapters/stray.qmd": "# Stray {#sec-stray}\n\nText.\n"}, "chapters/stray.qmd", "not listed"),
    "BOOK013": seed("BOOK013", "Words.\n\n![A caption](pixel.svg)", 5, "no alternative text"),
    "BOOK014": seed("BOOK014", "## Part {#sec-book014-part}\n\n#### Deep {#sec-book014-deep}", 5, "has level 4"),
    "BOOK015": seed("BOOK015", "Text.", 2, "did you mean description?", front="---\ndescriptionn: Words.\n---\n"),
    "BOOK016": seed("BOOK016", "::: {.callout-note}\nText.\n\n## More {#sec-book016-more}", 3, "is never closed"),
    "BOOK017": seed("BOOK017", "Words with a note.[^gone]", 3, "[^gone]"),
    "BOOK018": seed("BOOK018", "Text.\n\nWe recieve guests.", 5, "should be “receive”"),
    "BOOK019": seed("BOOK019", "1. Step:\n\n   ```{.bash filename=\"laptop\"}\n   ls\n   echo $(ls\n   ```", 7,
                    "bash: "),
    "BOOK020": seed("BOOK020", "```bash\nls\nscp <file> \"$HOST\":\n```", 5, "<file> is a bare placeholder"),
    "BOOK021": Case({"references.bib": entry("nobody2020", "doi = {10.1/nobody}", words="topic:else")},
                    "references.bib:{line}", "no chapter cites nobody2020"),
    "BOOK022": Case({**page("BOOK022", "As @first2020 and @second2020 say."),
                     "references.bib": entry("first2020", "doi = {10.1/same}")
                     + entry("second2020", "doi = {https://doi.org/10.1/SAME}")},
                    "references.bib:{line:second2020}", "has the DOI of first2020"),
    "BOOK023": Case({**page("BOOK023", "As @nowhere2020 says."),
                     "references.bib": entry("nowhere2020", "journal = {Journal of Nothing},")},
                    "references.bib:{line}", "neither DOI nor address"),
    "BOOK024": Case({"chapters/bare.yml": 'checked: 2026-11-01\nreview-by: 2027-11-01\nname: "x"\n'},
                    "chapters/bare.yml:3", "bare.name has no source"),
    "BOOK025": Case({"chapters/old.yml": 'source: "a page"\nchecked: 2026-01-01\nreview-by: 2026-11-21\nname: "x"\n'},
                    "chapters/old.yml:3", "which is past"),
    "BOOK026": Case(site={"link.html": "<main>\n<p>Text <a href=\"gone.html\">x</a></p></main>"},
                    place="_book/link.html:2", says="gone.html is not there"),
    "BOOK027": Case(site={"ids.html": "<main>\n<p id=\"a\">Text</p>\n<p class='b' id=a>Text</p></main>"},
                    place="_book/ids.html:3", says="#a is used twice"),
    "BOOK028": Case(site={"empty.html": "<nav>Menu</nav><main><header><h1>Title</h1></header>\n<!-- Word --></main>"},
                    place="_book/empty.html", says="shows no text"),
    "BOOK030": Case(works(("bare2020", "topic:things, level:hard, minutes:30")), "references.bib:{line}",
                    "bare2020 has the level hard, which is none of intro, core, advanced"),
    "BOOK031": Case(works(("early2020", f"{WORDS}, after:late2020"), ("late2020", WORDS)),
                    "references.bib:{line:early2020}", "early2020 is above late2020, which is to be read first"),
    "BOOK032": Case(works(("orphan2020", "topic:thimgs, level:core, minutes:30, kind:article")),
                    "references.bib:{line}", "no page shows orphan2020 in the path thimgs; did you mean things?"),
    "BOOK029": seed("BOOK029", "A job may run for\n3 days on `main`.", 4,
                    "write it as {{< var clusters.tower.partitions", **{"chapters/clusters.yml": CLUSTERS}),
    "BOOK033": seed("BOOK033", "Text.\n\nWe mend the page.", 5, "write fix, correct"),
}

NEAR: dict[str, Case] = {
    "BOOK001": Case(page("BOOK001", "Text: [open, “quotes”.", front="---\ndescription: \"[open\"\n---\n")),
    "BOOK002": Case({**page("BOOK002", "```text\n{{< include _part.qmd >}}\n```\n\n"
                                       "{{< include /chapters/_part.qmd >}}"),
                     "chapters/_part.qmd": "Words.\n"}),
    "BOOK003": Case(page("BOOK003", "{{< page-facts minutes=\"3\" >}}\n\nWrite `{{{< page-fakts >}}}`.")),
    "BOOK004": Case(page("BOOK004", "Text {{< var things.host.name >}} and {{< var book.title >}}.")),
    "BOOK005": Case(page("BOOK005", "See @sec-book005-part, not `@sec-book005-prat`. Mail a@sec-nothing.org.\n\n"
                                    "## Part {#sec-book005-part}")),
    "BOOK006": Case(page("BOOK006", "As @adams2020 says; write `@adams2019` or me@example.org.")),
    "BOOK007": Case(page("BOOK007", "[a](book008.qmd) [b](/chapters/pixel.svg) [c](https://example.org/none.qmd)\n"
                                    "[d](mailto:a@example.org) [e](https://example.org/book/chapters/book008.html)")),
    "BOOK008": Case(page("BOOK008", "## A {#sec-book008-a}\n\n## B\n\n## B\n\n"
                                    "[A](#sec-book008-a), `{#sec-book008-a}`")),
    "BOOK009": Case(page("BOOK009", "::: {.panel-tabset}\n\n## One\n\nText.\n\n## Two\n\nText.\n\n:::")),
    "BOOK010": Case(page("BOOK010", "::: {.callout-note}\nText.\n:::\n\nWrite `.callout-noet`.")),
    "BOOK011": Case(page("BOOK011", "[x](#sec-book011-part), [y](book008.qmd#sec-book008-a), [z](#own)\n"
                                    "[w](https://example.org/#none), [r](/references.qmd#ref-adams2020)\n\n"
                                    "## Part {#sec-book011-part}\n\n[Here]{#own}.")),
    "BOOK012": Case({"chapters/_notes.qmd": "Notes.\n", "chapters/_drafts/draft.qmd": "Draft.\n",
                     "elsewhere/data.qmd": "Data.\n"}),
    "BOOK013": Case(page("BOOK013", "Words ![a dot](pixel.svg) here.\n\n"
                                    "![Caption](pixel.svg){#fig-dot fig-alt=\"A dot.\"}\n\nSee @fig-dot.")),
    "BOOK014": Case(page("BOOK014", "## A {#sec-book014-a}\n\n### B {#sec-book014-b}\n\n## C {#sec-book014-c}\n\n"
                                    "::: {.panel-tabset}\n\n#### One\n\nText.\n\n#### Two\n\nText.\n\n:::\n\n"
                                    "::: {.callout-tip}\n#### Title\nText.\n:::")),
    "BOOK015": Case(page("BOOK015", "Text of {{< meta mood >}}.",
                         front="---\ndescription: Words.\nmood: calm\naliases: [old015.html]\n---\n")),
    "BOOK016": Case(page("BOOK016", "::: {.callout-note}\n::: {.inner}\nText.\n:::\n:::\n\n"
                                    "````text\n```bash\n:::\n```\n````\n\nWrite `:::` so.")),
    "BOOK017": Case(page("BOOK017", "Words with a note.[^here] See [a list][list] and \\[brackets\\].\n\n"
                                    "[^here]: The note.\n\n[list]: https://example.org\n\n"
                                    "| a | b |\n|---|---|\n| 1 | 2 |\n\n$\\frac{a}{b}$ &amp; more.")),
    "BOOK018": Case(page("BOOK018",
                         "We receive guests of every colour, with a homograph from [here](https://numer.ai/teh), "
                         "and (mis)count some.")),
    "BOOK019": Case(page("BOOK019", "```{.bash}\necho \"$(ls)\"\n```\n\n```python\nprint(\"'\")\n```\n\n"
                                    "```text\necho $(ls\n```\n\n    echo $(ls")),
    "BOOK020": Case(page("BOOK020", "```bash\nsort <in >out  # not <name>\necho '<b>' <<<word\ndiff <(ls) <(ls -a)\n"
                                    "cat <<'EOF'\n<html>\nEOF\nls \"${NAME:?set NAME to a name}\"\n```\n\n"
                                    "Write `<b>`.")),
    "BOOK021": Case({**page("BOOK021", "::: {#note}\nText.[^1]\n:::\n\n[^1]: As @noted2020 says."),
                     "references.bib": entry("noted2020", "doi = {10.1/noted}")}),
    "BOOK022": Case({**page("BOOK022", "As @one2020, @two2020, @three2020 and @four2020 say."),
                     "references.bib": entry("one2020", "url = {https://example.org/list}")
                     + entry("two2020", "url = {https://example.org/list}").replace("Title of", "Another lecture,")
                     + "".join(entry(f"{key}2020", "url = {https://example.org/cars}").replace("Title of", title)
                               for key, title in (("three", "car: Regression"), ("four", "carData: Regression")))}),
    "BOOK023": Case({**page("BOOK023", "As @arxiv2020 says."),
                     "references.bib": "@comment{no entry,}\n" + entry("arxiv2020", "eprint = {2001.00001}")}),
    "BOOK024": Case({"chapters/deep.yml": 'source: "a page"\na:\n  checked: 2026-11-01\n  review-by: 2027-01-01\n'
                                          '  b: {c: "x", d: ["y"]}\n'}),
    "BOOK025": Case({"chapters/new.yml": 'source: "a page"\nchecked: 2026-01-01\nreview-by: 2026-12-23\na: "x"\n'}),
    "BOOK026": Case(site={"link.html": "<main><p id='here'>Text <a href='#here'>x</a> <a href='link.html'>y</a> "
                                       "<a href='https://example.org/gone'>z</a></p></main>"}),
    "BOOK027": Case(site={"ids.html": "<link id='q'><link id='q'><main><p id='a'>Text</p>"
                                      "<!-- <p id='a'> --><p data-id='a'>id=\"a\"</p>"
                                      "<script>'<p id=\"a\">'</script></main>"}),
    "BOOK028": Case(site={"picture.html": "<main><h1>Title</h1><img src='pixel.png' alt='x'></main>",
                          "moved.html": "<meta http-equiv='refresh' content='0; url=link.html'>", "pixel.png": ""}),
    "BOOK029": Case({**page("BOOK029", "{{< var clusters.tower.partitions.main.time-limit >}}, 4 days, `3 days`.\n\n"
                                       "```bash\nsbatch --partition=main x.sh  # 20 GB\n```"),
                     "chapters/clusters.yml": CLUSTERS}),
    "BOOK030": Case(works(("whole2020", "level:advanced,kind:course, other, topic:things,  minutes:600"))),
    "BOOK031": Case({**page("BOOK031", "{{< reading-path more >}}\n\n{{< reading-path things short=\"yes\" >}}"),
                     **works(("first2020a", f"{WORDS}, after:other2020"),
                             ("second2020a", f"{WORDS}, after:first2020a"),
                             ("other2020", "topic:more, level:intro, minutes:9, kind:video"))}),
    "BOOK033": Case(page("BOOK033", "See [tolder](#sec-book033-mend).\n\n## Part {#sec-book033-mend}")),
    "BOOK032": Case({**page("BOOK032", "{{< reading-path split level=\"intro core\" >}}\n\n"
                                       "{{< reading-path split level=\"advanced\" >}}"),
                     **works(*((f"{level}2020", f"topic:split, level:{level}, minutes:9, kind:book")
                               for level in ("intro", "core", "advanced")))}),
}
