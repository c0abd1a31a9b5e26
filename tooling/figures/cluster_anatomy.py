"""Draw chapters/hpc/cluster-anatomy.svg: the way from a laptop to a compute node, and the storage beside it.

Run it without arguments after a change. It uses the standard library only and always writes the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

TARGET = Path(__file__).resolve().parents[2] / "chapters" / "hpc" / "cluster-anatomy.svg"

WIDTH, HEIGHT = 760, 346
PANEL, BOX, LINE, TEXT, QUIET, ACCENT = "#fafbfc", "#eef1f4", "#8b97a3", "#1f2933", "#4a5763", "#1b5e8c"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"

TITLE = "How a job travels through a cluster"
DESCRIPTION = (
    "Four boxes in a row joined by arrows: your laptop connects by ssh to the login node; sbatch hands the job "
    "script from the login node to the scheduler, Slurm; the scheduler starts the job on a compute node. A wide "
    "box below, the shared storage with home, project and scratch, is joined to the login node and to the compute "
    "node, and rsync copies data from the laptop into it."
)

Y, BOX_WIDTH, BOX_HEIGHT = 70, 142, 100
STORE_Y, STORE_HEIGHT = 248, 70
# left edge, heading, two lines below it, drawn in the accent
BOXES = (
    (16, "Your laptop", ("code, editor, git", "your ssh key"), False),
    (214, "Login node", ("shared by everyone:", "edit, copy, submit"), False),
    (404, "Scheduler", ("Slurm: queues jobs,", "picks the nodes"), False),
    (594, "Compute node", ("cores, memory, GPUs:", "runs your program"), True),
)


def text(x: int, y: int, words: str, size: int = 13, fill: str = TEXT, weight: int = 400,
         anchor: str = "middle") -> str:
    """A line of text as SVG."""
    return (f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{fill}" '
            f'text-anchor="{anchor}">{escape(words)}</text>')


def box(x: int, y: int, width: int, height: int, accent: bool = False) -> str:
    """A rounded box as SVG, sizes in pixels."""
    stroke, thick = (ACCENT, 2) if accent else (LINE, 1)
    return (f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="{BOX}" '
            f'stroke="{stroke}" stroke-width="{thick}"/>')


def arrow(points: str, both: bool = False) -> str:
    """An arrow as SVG."""
    start = ' marker-start="url(#cluster-anatomy-head)"' if both else ""
    return (f'<polyline points="{points}" fill="none" stroke="{ACCENT}" stroke-width="2"{start} '
            f'marker-end="url(#cluster-anatomy-head)"/>')


def render() -> str:
    """The whole figure as SVG text."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-labelledby="cluster-anatomy-title cluster-anatomy-desc" font-family="{FONT}">',
        f'<title id="cluster-anatomy-title">{escape(TITLE)}</title>',
        f'<desc id="cluster-anatomy-desc">{escape(DESCRIPTION)}</desc>',
        '<defs><marker id="cluster-anatomy-head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
        f'markerHeight="7" orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" fill="{ACCENT}"/></marker></defs>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="14" fill="{PANEL}"/>',
        f'<rect x="204" y="24" width="542" height="{HEIGHT - 40}" rx="10" fill="none" stroke="{LINE}" '
        'stroke-dasharray="4 4"/>',
        text(216, 46, "The cluster", 13, QUIET, 600, "start"),
    ]
    for x, heading, lines, accent in BOXES:
        middle = x + BOX_WIDTH // 2
        parts.append(box(x, Y, BOX_WIDTH, BOX_HEIGHT, accent))
        parts.append(text(middle, Y + 32, heading, 16, TEXT, 600))
        parts += [text(middle, Y + 58 + 20 * row, words, 12, QUIET) for row, words in enumerate(lines)]
    row = Y + BOX_HEIGHT // 2
    for (left, *_), (right, *_), words in zip(BOXES, BOXES[1:], ("ssh", "sbatch", "start"), strict=False):
        parts.append(arrow(f"{left + BOX_WIDTH + 2},{row} {right - 3},{row}"))
        parts.append(text((left + BOX_WIDTH + right) // 2, row - 9, words, 12, ACCENT, 600))

    parts.append(box(214, STORE_Y, 522, STORE_HEIGHT))
    parts.append(text(475, STORE_Y + 30, "Shared storage", 16, TEXT, 600))
    parts.append(text(475, STORE_Y + 52, "home, project and scratch: the same files on every node", 12, QUIET))
    for x in (285, 665):
        parts.append(arrow(f"{x},{Y + BOX_HEIGHT + 4} {x},{STORE_Y - 3}", both=True))
    parts.append(text(297, 213, "edit, unpack", 12, ACCENT, 600, "start"))
    parts.append(text(653, 213, "read data, write results", 12, ACCENT, 600, "end"))
    parts.append(arrow(f"87,{Y + BOX_HEIGHT + 2} 87,{STORE_Y + 35} 211,{STORE_Y + 35}"))
    parts.append(text(99, STORE_Y + 26, "rsync, scp", 12, ACCENT, 600, "start"))
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def main() -> None:
    """Write the picture beside its chapter."""
    TARGET.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
