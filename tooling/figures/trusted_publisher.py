"""The form on PyPI that makes it trust a workflow, drawn, with what belongs in each field.

The words of the form are those of PyPI's own page: warehouse/templates/manage/account/publishing.html
of pypi/warehouse.
"""

from __future__ import annotations

from collections.abc import Iterator

from tooling.figures.drawing import SIZE, SMALL, WIDTH, Picture

# A field as PyPI names it, whether it says (required) or (optional), an example, and what to know.
FIELDS = (
    ("PyPI Project Name", "(required)", "gpyreg", ("name in pyproject.toml;", "asked for new projects only")),
    ("Owner", "(required)", "acerbilab", ("the organisation or user that", "has the repository on GitHub")),
    ("Repository name", "(required)", "gpyreg", ("the repository alone,", "without the owner")),
    ("Workflow name", "(required)", "release.yml",
     ("the file's name alone, without", "the folder .github/workflows")),
    ("Environment name", "(optional)", "pypi", ("fill it in: pypi on PyPI,", "testpypi on TestPyPI")),
)
LEFT, FORM, NOTE, STEP, TOP = 6, 286, 310, 78, 92
SEEN = (
    "PyPI's form Add a new pending publisher with its tab GitHub, drawn, with an example in each field and a note "
    "beside it. {fields}. Below them is the button Add."
)


def pictures() -> Iterator[Picture]:
    """The one picture."""
    fields = "; ".join(f"{name} {asked}: {example}, {' '.join(note)}" for name, asked, example, note in FIELDS)
    picture = Picture("chapters/packaging/trusted-publisher.svg", "The form for a trusted publisher on PyPI",
                      SEEN.format(fields=fields), TOP + STEP * len(FIELDS) + 58)
    picture.rect(LEFT, 6, FORM, TOP + STEP * len(FIELDS) + 46, radius=8)
    picture.text(LEFT + 14, 34, "Add a new pending publisher", bold=True, size=15, room=FORM - 22)
    picture.text(LEFT + 14, 64, "GitHub", size=SMALL, colour="accent", bold=True)
    picture.line([(LEFT + 14, 71), (LEFT + 68, 71)], colour="accent", thick=3)
    picture.line([(LEFT + 68, 72), (LEFT + FORM - 14, 72)], colour="line", thick=1)
    for place, (name, asked, example, note) in enumerate(FIELDS):
        y = TOP + place * STEP
        picture.text(LEFT + 14, y + 14, name, size=SMALL, bold=True)
        picture.text(LEFT + FORM - 14, y + 14, asked, size=SMALL, colour="muted", anchor="end")
        picture.rect(LEFT + 14, y + 22, FORM - 28, 36, fill="bg", line="muted", radius=4)
        picture.text(LEFT + 26, y + 46, example, size=SIZE, code=True)
        picture.line([(LEFT + FORM - 13, y + 40), (NOTE - 4, y + 40)], colour="accent", thick=1.5)
        picture.circle(LEFT + FORM - 14, y + 40, 4)
        picture.lines(NOTE, y + 36, note, colour="text", room=WIDTH - NOTE)
    y = TOP + len(FIELDS) * STEP + 4
    picture.rect(LEFT + 14, y, 72, 36, fill="accent", line="accent", radius=4)
    picture.text(LEFT + 50, y + 24, "Add", colour="bg", bold=True, anchor="middle")
    yield picture
