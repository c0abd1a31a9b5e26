"""The two kinds of nodes of Roihu, from clusters.yml."""

from __future__ import annotations

from collections.abc import Iterator

from labhandbook.hpc.clusters import load
from tooling.figures.drawing import ROOT, SMALL, WIDTH, Picture

# The page has the numbers in its table, from the same file.
SEEN = (
    "Two nodes of Roihu, one below the other. The Roihu-GPU node has {gpus} {model} side by side. Each is a GPU with "
    "memory of its own, joined to its own field of {arm} cores. The Roihu-CPU node has {processors} processors with "
    "many more {x86} cores, and one memory for both."
)
MARGIN, GAP = 6, 8
TILE, PITCH = 6, 8


def cores(picture: Picture, x: float, y: float, count: int, row: int) -> None:
    """A field of little squares, one for each core: every row is a dashed line as thick as its dashes are long."""
    for place in range(count // row):
        middle = y + place * PITCH + TILE / 2
        picture.line([(x, middle), (x + row * PITCH - 2, middle)], colour="accent", thick=TILE,
                     dashes=f"{TILE} {PITCH - TILE}")


def pictures() -> Iterator[Picture]:
    """The one picture."""
    facts = load(ROOT / "chapters/hpc/clusters.yml").get("roihu").facts
    gpus, share, all_cores, processors = (int(facts[name]) for name in (
        "gpu.gpus-per-node", "gpu.cores-per-gpu", "cpu.cores-per-node", "cpu.processors-per-node"))
    model, half = facts["gpu.model"], all_cores // processors
    picture = Picture("chapters/hpc/roihu-node.svg", "The two kinds of nodes of Roihu", SEEN.format(
        gpus=gpus, model=model, arm=facts["gpu.architecture"], processors=processors,
        x86=facts["cpu.architecture"]), 478)
    picture.text(MARGIN, 24, f"Roihu-GPU: {gpus} {model}, {share} cores each", bold=True)
    wide = (WIDTH - 2 * MARGIN - (gpus - 1) * GAP) / gpus
    for gpu in range(gpus):
        left = MARGIN + gpu * (wide + GAP)
        middle = left + wide / 2
        picture.rect(left, 38, wide, 186, radius=8)
        picture.rect(left + 10, 48, wide - 20, 56, fill="accent", line="accent", radius=6)
        picture.text(middle, 71, f"GPU {gpu}", colour="bg", bold=True, anchor="middle")
        picture.text(middle, 92, facts["gpu.memory-per-gpu"], size=SMALL, colour="bg", anchor="middle")
        picture.line([(middle, 104), (middle, 122)], colour="accent", thick=3)
        cores(picture, middle - 6 * PITCH + 1, 124, share, 12)
        picture.text(middle, 192, f"{share} {facts['gpu.architecture']} cores", size=SMALL, anchor="middle",
                     room=wide - 8)
        picture.text(middle, 212, facts["gpu.memory-per-gpu-share"], size=SMALL, colour="muted", anchor="middle")
    picture.text(MARGIN, 264, f"Roihu-CPU: {all_cores} cores, {facts['cpu.node-memory']}", bold=True)
    wide = (WIDTH - 2 * MARGIN - (processors - 1) * GAP) / processors
    for processor in range(processors):
        left = MARGIN + processor * (wide + GAP)
        picture.rect(left, 278, wide, 106, radius=8)
        cores(picture, left + wide / 2 - 12 * PITCH + 1, 290, half, 24)
        picture.text(left + wide / 2, 374, f"{half} {facts['cpu.architecture']} cores", size=SMALL, anchor="middle")
    picture.box(MARGIN, 394, WIDTH - 2 * MARGIN, 62, f"{facts['cpu.node-memory']} of memory",
                (f"jobs get {facts['cpu.memory-gib']} GiB, in some nodes {facts['cpu.large-memory-gib']} GiB",))
    yield picture
