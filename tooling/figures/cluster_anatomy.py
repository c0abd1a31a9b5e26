"""The way from a laptop to a compute node, and the storage beside it: the figure of the HPC part's page."""

from __future__ import annotations

from collections.abc import Iterator

from tooling.figures.drawing import SMALL, Picture

SEEN = (
    "Four boxes joined by arrows. Your laptop, on the left, connects by ssh to the login node. The login node, the "
    "scheduler and the compute node are below one another in a frame called the cluster: sbatch hands the job from "
    "the login node to the scheduler, and the scheduler starts it on the compute node. A tall box beside them, "
    "shared storage, is joined to the login node and to the compute node. rsync copies data into it from the laptop."
)
# In the frame, from top to bottom: heading, what it is, and what leads to the next.
COLUMN = (
    ("Login node", ("shared by everyone:", "edit, copy, submit"), "sbatch"),
    ("Scheduler", ("Slurm: queues jobs,", "picks the nodes"), "start"),
    ("Compute node", ("cores, memory, GPUs:", "runs your program"), ""),
)
LEFT, WIDE, HIGH, TOP, GAP = 176, 170, 84, 48, 38


def pictures() -> Iterator[Picture]:
    """The one picture."""
    picture = Picture("chapters/hpc/cluster-anatomy.svg", "How a job travels through a cluster", SEEN, 448)
    foot = TOP + 3 * HIGH + 2 * GAP
    picture.rect(166, 16, 366, foot, fill="none", radius=10, dashes="4 4")
    picture.text(180, 38, "The cluster", size=SMALL, colour="muted", bold=True)
    picture.box(6, TOP, 120, HIGH, "Your laptop", ("code, editor,", "git, ssh key"))
    arrow_y = TOP + HIGH / 2
    picture.arrow([(128, arrow_y), (LEFT - 3, arrow_y)], colour="accent")
    picture.text(146, arrow_y - 8, "ssh", size=SMALL, colour="accent", bold=True, anchor="middle")
    for place, (heading, words, move) in enumerate(COLUMN):
        y = TOP + place * (HIGH + GAP)
        last = not move
        picture.box(LEFT, y, WIDE, HIGH, heading, words, line="accent" if last else "line", thick=2 if last else 1)
        if move:
            picture.arrow([(LEFT + WIDE / 2, y + HIGH + 2), (LEFT + WIDE / 2, y + HIGH + GAP - 3)], colour="accent")
            picture.text(LEFT + WIDE / 2 + 10, y + HIGH + GAP / 2 + 5, move, size=SMALL, colour="accent", bold=True)
    picture.rect(414, TOP, 106, foot - TOP, radius=8)
    for place, word in enumerate(("Shared", "storage")):
        picture.text(467, 150 + 20 * place, word, bold=True, anchor="middle")
    picture.lines(467, 200, ("home,", "project and", "scratch:", "the same", "files on", "every node"),
                  anchor="middle", room=96)
    gap = (LEFT + WIDE + 414) / 2
    for row, above, below in ((arrow_y, "edit,", "unpack"), (foot - HIGH / 2, "read,", "write")):
        picture.arrow([(gap, row), (411, row)], colour="accent")
        picture.arrow([(gap, row), (LEFT + WIDE + 3, row)], colour="accent")
        picture.text(gap, row - 8, above, size=SMALL, colour="accent", bold=True, anchor="middle", room=66)
        picture.text(gap, row + 20, below, size=SMALL, colour="accent", bold=True, anchor="middle", room=66)
    picture.arrow([(66, TOP + HIGH + 2), (66, 424), (467, 424), (467, foot + 3)], colour="accent")
    picture.text(84, 416, "rsync, scp", size=SMALL, colour="accent", bold=True)
    yield picture
