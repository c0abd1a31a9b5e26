"""Hostile books: settings of wrong types, chapters that hurt their reader, files that are something else."""

from __future__ import annotations

from typing import Any

import yaml

from tooling.tests.hostile.parts import (
                                         BILLION,
                                         BYTES,
                                         DEEP,
                                         ESCAPE,
                                         LONG,
                                         NAME,
                                         ROUND,
                                         VALUES,
                                         YAML,
                                         Files,
                                         Folder,
                                         Link,
                                         Pipe,
                                         Program,
                                         changed,
)

CONFIG: dict[str, Any] = {
    "project": {"type": "book", "output-dir": "_book"}, "lang": "en", "bibliography": "references.bib",
    "book": {"title": "Book", "author": "A", "site-url": "https://example.org/book",
             "repo-url": "https://example.org/r", "repo-actions": ["edit"],
             "chapters": ["index.qmd", {"part": "Part", "chapters": ["a.qmd"]}]},
    "format": {"html": {"toc-depth": 3, "number-depth": 4, "css": []}},
}
BASE: Files = {
    "_quarto.yml": yaml.safe_dump(CONFIG), "index.qmd": "# Home {.unnumbered}\n\nText.\n", "references.bib": "",
    "a.qmd": "# A {#sec-a}\n\nSee [home](index.qmd) and @sec-a.\n",
    "chapters/facts.yml": "source: https://example.org\nchecked: 2026-01-01\nreview-by: 2030-01-01\nlimit: 5\n",
}
PLACES = (
    "project", "project.type", "project.output-dir", "lang", "bibliography", "book", "book.title", "book.subtitle",
    "book.author", "book.site-url", "book.repo-url", "book.repo-branch", "book.repo-actions", "book.chapters",
    "book.favicon", "book.downloads", "book.page-footer", "book.sidebar", "book.search", "book.appendices", "filters",
    "format", "format.html", "format.html.css", "format.html.toc-depth", "format.html.number-depth",
    "format.html.number-sections", "format.pdf", "format.typst", "format.epub", "handbook", "link-citations", "csl",
)
CHAPTERS: dict[str, Any] = {
    "null": [None], "number": ["index.qmd", 5], "list": ["index.qmd", ["a.qmd"]], "nul": ["index.qmd", "a\0.qmd"],
    "part-null": ["index.qmd", {"part": None, "chapters": None}], "part-list": ["index.qmd", {"part": ["x"]}],
    "part-chapters-number": ["index.qmd", {"part": "P", "chapters": 5}], "long": ["index.qmd", f"{LONG}.qmd"],
    "part-chapters-mapping": ["index.qmd", {"part": "P", "chapters": {"a": "b"}}], "escape": ["index.qmd", ESCAPE],
    "outside": ["index.qmd", "../outside.qmd"], "absolute": ["index.qmd", "/etc/passwd"], "empty": ["index.qmd", ""],
    "folder": ["index.qmd", "chapters"], "twice": ["index.qmd", "index.qmd"], "dots": ["index.qmd", "./a/../a.qmd"],
    "surrogate": ["index.qmd", "\\ud800.qmd"], "many": ["index.qmd", *["a.qmd"] * 5_000],
}
FRONT = {
    "title-list": "title: [[1]]", "title-null": "title: null", "title-mapping": "title: {a: 1}",
    "title-escape": 'title: "\\e[2J\\u202e\\u009b"', "aliases-number": "aliases: 5",
    "aliases-null": "aliases: [null]", "aliases-mapping": "aliases: [{a: 1}]", "aliases-nul": 'aliases: ["a\\0b"]',
    "aliases-out": "aliases: [../../../x]", "aliases-long": f"aliases: [{LONG}]",
    "aliases-root": "aliases: [/, //, '']", "day": "date: 9999-99-99", "aliases-deep": f"aliases: [{'a/' * 1_500}b]",
    "aliases-self": "aliases: [a.html]", "aliases-escape": 'aliases: ["\\e[2J"]', "deep": DEEP, "brackets": BILLION,
    "round": f"a: {ROUND}", "scalar": "5", "list": "[1, 2]", "bib": "bibliography: [../../x.bib, 5]",
    "description": "description: [1, {a: b}]", "key": "? [a]\n: b",
    "reserved": "handbook-changed: [1]\nnumber-depth: [x]\ntoc: {a: 1}\nlang: 5",
}
TEXTS = {
    "escape": f"Text {ESCAPE} and [a link](no{ESCAPE}where.qmd) and @sec-x{ESCAPE} and {{{{< nope {ESCAPE} >}}}}.\n",
    "nul": "Text \0 more.\n", "brackets": "[" * 20_000 + "\n", "links": "[a](b.qmd) " * 2_000 + "\n",
    "long": "a" * 1_000_000 + "\n", "fence": "```{python}\n" * 500, "include-self": "{{< include a.qmd >}}\n",
    "include-out": "{{< include ../../../etc/passwd >}}\n\n{{< include /../outside.txt >}}\n",
    "include-nul": "{{< include a\0b >}}\n", "include-long": f"{{{{< include {LONG} >}}}}\n",
    "include-pipe": "{{< include pipe >}}\n", "include-null-code": "{{< include a%00b >}}\n",
    "image-out": "![a](../../outside.txt)\n\n![b](/etc/passwd)\n",
    "image-code": "![a](a%00b.png)\n\n[b](%ff%fe.qmd)\n", "image-long": f"![a]({LONG}.png)\n",
    "raw": f"```{{=html}}\n<script>{ESCAPE}</script>\n```\n", "id": f"## A {{#sec-{LONG}}}\n\nSee @sec-{LONG}b.\n",
    "quotes": "> " * 3_000 + "a\n", "stars": "*a **a " * 5_000, "table": "|a|\n|-|\n" + "|b|\n" * 5_000,
    "cite": "[@nobody; @a@b@c; -@x]\n" * 500, "headings": "###### A\n" * 500,
    "shortcodes": "{{< var a.b >}} {{< meta title >}} {{< part a\0 b >}} {{< \" >}}\n" * 50, "cr": "a\rb\r# c\r",
    "url": "[a](http://[::1) [b](file:///etc/passwd) [c](javascript:x) [d](//[)\n", "math": "$" + "{" * 2_000 + "$\n",
    "bash": "```bash\nhandbook render --nonsense $(touch owned)\necho 'a\n```\n",
    "entities": "&#0; &#xD800; &#x1b;\n",
}
FACTS: dict[str, Files] = {f"facts-{name}": {"chapters/facts.yml": text} for name, text in YAML.items()} | {
    "facts-long-name": {f"chapters/{'a' * 240}.yml": "a: 1"},
    "facts-name": {f"chapters/{NAME}.yml": f"{ESCAPE[:4]}: 1"}, "facts-bytes": {f"chapters/{BYTES}.yml": "a: 1"},
    "facts-pipe": {"chapters/pipe.yml": Pipe()}, "facts-folder": {"chapters/x.yml": Folder()},
    "facts-link": {"chapters/x.yml": Link("nowhere")},
    "facts-day": {"chapters/facts.yml": "source: 5\nchecked: [1]\nreview-by: {a: 1}\nlimit: 5\n"},
    "results": {"chapters/p/index.qmd": "# P\n", "chapters/p/results.json": "[" * 100_000},
    "results-number": {"chapters/p/index.qmd": "# P\n",
                       "chapters/p/results.json": '{"a": 1e999, "b": ' + "9" * 9999 + "}"},
    "results-types": {"chapters/p/index.qmd": "# P\n", "chapters/p/results.json": "5"},
    "results-pipe": {"chapters/p/index.qmd": "# P\n", "chapters/p/results.json": Pipe()},
}
SHAPES: dict[str, Files] = {
    "chapter-pipe": {"a.qmd": Pipe()}, "chapter-link": {"a.qmd": Link("nowhere")},
    "chapter-loop": {"a.qmd": Link("a.qmd")},
    "chapter-out": {"a.qmd": Link("../../outside.txt")}, "chapter-not-utf8": {"a.qmd": b"# A\n\n\xff\xfe\n"},
    "chapter-empty": {"a.qmd": ""}, "pandoc-folder": {"pandoc": Folder()}, "pandoc-program": {"pandoc": Program()},
    "programs": {name: Program() for name in ("codespell", "lychee", "panache", "bash", "git", "quarto", "typst")},
    "python": {f"{name}.py": "raise SystemExit('owned')" for name in ("json", "click", "yaml", "pypandoc", "typing")},
    "output-file": {"_book": "text"}, "output-link": {"_book": Link("../..")}, "output-pipe": {"_book": Pipe()},
    "output-loop": {"_book": Link("_book")}, "variables-folder": {"_variables.yml": Folder()},
    "variables-link": {"_variables.yml": Link("../../outside.txt")}, "variables-pipe": {"_variables.yml": Pipe()},
    "git-file": {".git": ESCAPE}, "git-folder": {".git/HEAD": "nonsense", ".git/config": "[core\n"},
    "bib-binary": {"references.bib": b"\xff\xfe\0"}, "bib-pipe": {"references.bib": Pipe()},
    "bib-broken": {"references.bib": "@book{" * 2_000}, "config-pipe": {"_quarto.yml": Pipe()},
    "config-link": {"_quarto.yml": Link("_quarto.yml")}, "config-folder": {"_quarto.yml": Folder()},
    "names": {f"{NAME}.qmd": "# A\n\n[x](nowhere.qmd)\n", f"{BYTES}.qmd": "# B\n", f"chapters/{NAME}/x.qmd": "# C\n",
              "_quarto.yml": yaml.safe_dump(changed(CONFIG, "book.chapters", ["index.qmd", f"{NAME}.qmd"]))},
    "codespell": {".codespellrc": "[codespell]\nwrite-changes =\nignore-words = /dev/stdin\n",
        "a.qmd": "# A\n\nteh\n"},
    "extension": {"_quarto.yml": yaml.safe_dump({**CONFIG, "filters": ["x"]}), "_extensions/x/_extension.yml": "5"},
    "extension-types": {"_quarto.yml": yaml.safe_dump({**CONFIG, "filters": ["x"]}),
                        "_extensions/x/_extension.yml": "contributes: {filters: 5, shortcodes: [5, {a: 1}, null]}"},
    "extension-missing": {"_quarto.yml": yaml.safe_dump({**CONFIG, "filters": ["../../x", 5, None]})},
    "css-out": {"_quarto.yml": yaml.safe_dump(changed(CONFIG, "format.html.css",
        ["../../outside.txt", "/etc/passwd"]))},
    "favicon-out": {"_quarto.yml": yaml.safe_dump(changed(CONFIG, "book.favicon", "../../outside.txt"))},
    "output-root": {"_quarto.yml": yaml.safe_dump(changed(CONFIG, "project.output-dir", "/"))},
    "output-above": {"_quarto.yml": yaml.safe_dump(changed(CONFIG, "project.output-dir", "../../home"))},
    "output-nul": {"_quarto.yml": 'project: {type: book, output-dir: "a\\0b"}\nbook: {chapters: [index.qmd]}\n'},
    "site-file": {"_book/index.html": "<a href='nowhere.html'>", f"_book/{BYTES}.html": "<a href='x.html'>"},
    "site-pipe": {"_book/index.html": Pipe()}, "closed": {".": Folder(closed=True)},
    "closed-chapters": {"chapters": Folder(closed=True)}, "theme": {"_extensions": "text"},
}
INPUTS: dict[str, Files] = {
    **{f"config-{name}": {"_quarto.yml": text} for name, text in YAML.items()},
    **{f"{place}={name}": {"_quarto.yml": yaml.safe_dump(changed(CONFIG, place, value))}
       for place in PLACES for name, value in VALUES.items()},
    **{f"chapters={name}": {"_quarto.yml": yaml.safe_dump(changed(CONFIG, "book.chapters", value))}
       for name, value in CHAPTERS.items()},
    **{f"front-{name}": {"a.qmd": f"---\n{text}\n---\n\n# A\n\nText.\n"} for name, text in FRONT.items()},
    **{f"front-{name}": {"a.qmd": b"---\n" + (text if isinstance(text, bytes) else text.encode()) + b"\n---\n\n# A\n"}
       for name, text in YAML.items() if name not in FRONT},
    **{f"text-{name}": {"a.qmd": f"# A\n\n{text}", "pipe": Pipe()} for name, text in TEXTS.items()},
    **FACTS, **SHAPES,
}
