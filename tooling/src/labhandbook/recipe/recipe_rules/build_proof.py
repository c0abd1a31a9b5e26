"""Rules for building, testing and installing a recipe's package here."""

from __future__ import annotations

from labhandbook.core.rules import UNVERIFIED, Rule, register

BUILD = "sec-conda-forge-build"
HASH = register(Rule("RCP060", "The source has the sha256 that the recipe names", section=BUILD,
    why="conda-forge refuses to build another file.",
    fix="Take the sha256 from PyPI; if the file itself changed, find out why.", asks="the index"))
HOST = register(Rule("RCP061", "The packages under host can be installed", section=BUILD,
    why="Without these packages nothing is built.",
    fix="Correct the name or the bounds; check that the version exists.", asks="conda-forge"))
RUN = register(Rule("RCP062", "The packages under run can be installed", section=BUILD,
    why="Nobody could install the package.",
    fix="Correct the name or the bounds; check that the version exists.", asks="conda-forge"))
BUILT = register(Rule("RCP063", "The package can be built", section=BUILD,
    why="conda-forge builds it in the same way.",
    fix="Read the build's output; often a package is missing under host.", asks="conda-forge"))
IMPORTS = register(Rule("RCP064", "The modules that the tests import are in the package", section=BUILD,
    why="A package that doesn't import is not published.",
    fix="Name the modules that the wheel has, and what they import under run.", asks="conda-forge"))
COMPLETE = register(Rule("RCP065", "pip check finds every dependency installed", section=BUILD,
    why="The package requires the dependency that pip names, so run must list it.",
    fix="Add the package to run.", asks="conda-forge"))
COMMANDS = register(Rule("RCP066", "The commands of the tests succeed", section=BUILD,
    why="conda-forge publishes a package only if its tests pass.",
    fix="Read the command's output and correct what it reports.", asks="conda-forge"))
INSTALLED = register(Rule("RCP067", "The built package installs and imports", section=BUILD,
    why="Users install and import it in the same way.",
    fix="Read the installation's output.", asks="conda-forge"))
ADDRESS = register(Rule("RCP068", "The source's address leads to the released file", section=BUILD,
    why="conda-forge downloads the source from this address, and nobody can check a file that isn't published.",
    fix="Publish the sdist and write PyPI's address with its name; if the check can't reach the address, open "
        "the address in a browser.", asks="the index"))
ELSEWHERE = register(Rule("RCP069", "conda-forge's own channel and machines build the package too",
    section=BUILD, severity=UNVERIFIED,
    why="Only conda-forge's checks on the pull request can show that.",
    fix="Open the pull request and wait for its checks.", asks="conda-forge"))
