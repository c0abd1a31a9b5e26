"""A GPU node of LUMI: modules, GCDs, the cores near each and the memory, from clusters.yml."""

from __future__ import annotations

from collections.abc import Iterator

from labhandbook.hpc.clusters import load
from tooling.figures.drawing import ROOT, SMALL, WIDTH, Picture

# The page has the numbers beside the picture, from the same file.
SEEN = (
    "One GPU node of LUMI. At the top {modules} modules {model}, each with {dies} GCDs, which Slurm counts as "
    "GPUs. Below each GCD are the CPU cores near it, and one core that jobs don't get. The numbers don't follow "
    "each other: GCD 0 is near cores {first}, and GCD 4 is near cores {fifth}. At the bottom is the node's "
    "memory, with what jobs get of it and what that is for each GCD."
)
MARGIN, GAP, TILE = 6, 8, 18


def pictures() -> Iterator[Picture]:
    """The one picture."""
    facts = {name.removeprefix("gpu."): value
             for name, value in load(ROOT / "chapters/hpc/clusters.yml").get("lumi").facts.items()}
    modules, dies, share = (int(facts[name]) for name in ("modules-per-node", "gcds-per-module", "cores-per-gcd"))
    near, numa = facts["binding.cores-of-gcd"].split(), facts["binding.numa-of-gcd"].split()
    model = facts["model"].removeprefix("AMD Instinct ")
    picture = Picture("chapters/hpc/lumi-node.svg", "A GPU node of LUMI", SEEN.format(
        modules=modules, model=facts["model"], dies=dies, first=near[0].replace("-", " to "),
        fifth=near[4].replace("-", " to ")), 420)
    wide = (WIDTH - 2 * MARGIN - (modules - 1) * GAP) / modules
    die = (wide - (dies + 1) * 6) / dies
    for module in range(modules):
        left = MARGIN + module * (wide + GAP)
        picture.rect(left, 8, wide, 106, radius=8)
        picture.text(left + wide / 2, 29, model, bold=True, anchor="middle", room=wide - 8)
        picture.rect(left, 146, wide, 138, fill="none", radius=8)
        for place in range(dies):
            gcd = module * dies + place
            x = left + 6 + place * (die + 6)
            picture.rect(x, 40, die, 66, fill="accent", line="accent", radius=6)
            picture.text(x + die / 2, 68, f"GCD {gcd}", size=SMALL, colour="bg", bold=True, anchor="middle", room=die)
            picture.text(x + die / 2, 90, facts["memory-per-gcd"], size=SMALL, colour="bg", anchor="middle", room=die)
            picture.line([(x + die / 2, 106), (x + die / 2, 154)], colour="accent", thick=3)
            cores(picture, x + die / 2 - TILE - 1, 156, share)
            picture.text(x + die / 2, 254, near[gcd], size=SMALL, bold=True, anchor="middle", room=die + 4)
        picture.text(left + wide / 2, 275, f"NUMA node {numa[module * dies]}", size=SMALL, colour="muted",
                     anchor="middle", room=wide)
    picture.box(MARGIN, 300, WIDTH - 2 * MARGIN, 62, f"{facts['node-memory']} of memory",
                (f"jobs get {facts['memory-gib']} GiB: {facts['memory-per-gcd-share']} for each GCD",))
    picture.rect(MARGIN, 382, 14, 14, fill="accent", line="accent", radius=2)
    picture.text(MARGIN + 22, 394, f"a core for jobs, {facts['cores-per-node']} in all", size=SMALL, colour="muted")
    picture.rect(272, 382, 14, 14, fill="none", line="muted", radius=2, dashes="3 2")
    picture.text(294, 394, "a core kept for the system", size=SMALL, colour="muted")
    yield picture


def cores(picture: Picture, x: float, y: float, share: int) -> None:
    """One group of cores in two columns; the first is not for jobs."""
    for core in range(share + 1):
        place = (x + core % 2 * (TILE + 2), y + core // 2 * (TILE + 2))
        if core:
            picture.rect(*place, TILE, TILE, fill="accent", line="accent", radius=2)
        else:
            picture.rect(*place, TILE, TILE, fill="none", line="muted", radius=2, dashes="3 2")
