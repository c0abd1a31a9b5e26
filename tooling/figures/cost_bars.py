"""The same work asked for in four ways, priced by the handbook's own code from clusters.yml."""

from __future__ import annotations

from collections.abc import Iterator

from labhandbook.hpc.clusters import load
from labhandbook.hpc.cost import Offer, offer
from labhandbook.hpc.job_request import read_request
from labhandbook.hpc.job_script import parse
from labhandbook.hpc.partition_limits import amount
from tooling.figures.drawing import NARROW, ROOT, SMALL, Picture

# How it is asked for, in words and in numbers: the partition, and the cores or the fact that says how many.
WAYS = (
    ("standard-g", "standard-g", "16"),
    ("small-g with all cores of a node", "small-g", "gpu.cores-per-node"),
    ("small-g with 16 cores", "small-g", "16"),
    ("small-g with the share of one GCD", "small-g", "gpu.cores-per-gpu"),
)
SCRIPT = """#!/bin/bash
#SBATCH --partition={partition}
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task={cores}
#SBATCH --gpus-per-node=1
#SBATCH --mem=32G
#SBATCH --time=05:00:00
srun true
"""
SEEN = (
    "Four bars for the same work on LUMI, one GCD and 32 GB for five hours, made of blocks of {block} GPU-hours. On "
    "{prices}. In each bar one block is what the work needs; the others are paid for beyond that."
)
LEFT, BLOCK, HIGH, STEP = 6, 30, 30, 72


def asked() -> Iterator[tuple[str, int, Offer]]:
    """Each way in words, with its cores and its price."""
    lumi = load(ROOT / "chapters/hpc/clusters.yml").get("lumi")
    for words, partition, count in WAYS:
        cores = int(lumi.facts.get(count, count))
        request = read_request(parse(SCRIPT.format(partition=partition, cores=cores)))
        found = offer(lumi, request, lumi.partitions[partition])
        assert found, f"{partition} bills nothing"
        yield words, cores, found


def pictures() -> Iterator[Picture]:
    """The one picture."""
    offers = list(asked())
    block = min(each.price.amount for *_, each in offers)
    prices = [f"{words} {'' if place else 'it costs '}{amount(each.price.amount)}"
              for place, (words, _, each) in enumerate(offers)]
    picture = Picture("chapters/hpc/cost-bars.svg", "The same work at four prices",
                      SEEN.format(block=amount(block), prices=", on ".join(prices)), STEP * len(WAYS) + 50, NARROW)
    for place, (_, cores, each) in enumerate(offers):
        y = 26 + place * STEP
        whole = ": a whole node" if each.partition.exclusive else ""
        picture.text(LEFT, y, f"{each.partition.name}, {cores} cores{whole}", bold=True)
        blocks = each.price.amount / block
        assert blocks == int(blocks), "the prices are not whole blocks"
        for number in range(int(blocks)):
            needed = number == 0
            picture.rect(LEFT + number * BLOCK, y + 10, BLOCK - 3, HIGH, fill="accent" if needed else "surface",
                         line="accent" if needed else "warning", dashes="" if needed else "4 3", radius=3)
        picture.text(LEFT + blocks * BLOCK + 8, y + 31, f"{amount(each.price.amount)} GPU-hours",
                     colour="accent" if blocks == 1 else "warning", bold=True)
    y = 26 + len(WAYS) * STEP + 6
    picture.rect(LEFT, y - 12, 20, 14, fill="accent", line="accent", radius=2)
    picture.text(LEFT + 28, y, "what the work needs", size=SMALL, colour="muted")
    picture.rect(204, y - 12, 20, 14, line="warning", dashes="4 3", radius=2)
    picture.text(232, y, "paid for beyond that", size=SMALL, colour="muted", room=NARROW - 232)
    yield picture
