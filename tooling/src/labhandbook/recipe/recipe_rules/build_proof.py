"""Rules of a recipe that is built, tested and installed here."""

from __future__ import annotations

from labhandbook.core.rules import UNVERIFIED, Rule, register

BUILD = "sec-conda-forge-build"
HASH = register(Rule("RCP060", "The source has the sha256 that the recipe names", section=BUILD,
              why="conda-forge refuses to build another file.",
              fix="Take the sha256 from PyPI; if the file itself changed, find out why."))
HOST = register(Rule("RCP061", "What host asks for can be installed", section=BUILD,
              why="Nothing is built without it.", fix="Correct the name or the bounds; see that the version exists."))
RUN = register(Rule("RCP062", "What run asks for can be installed", section=BUILD,
             why="Nobody could install the package.",
             fix="Correct the name or the bounds; see that the version exists."))
BUILT = register(Rule("RCP063", "The package can be built", section=BUILD,
               why="conda-forge does the same.", fix="Read what the build said; often host lacks a package."))
IMPORTS = register(Rule("RCP064", "The tests import what the package has", section=BUILD,
                 why="A package that doesn't import is not published.",
                 fix="Name the modules that the wheel has, and what they import under run."))
COMPLETE = register(Rule("RCP065", "pip check finds every dependency", section=BUILD,
                  why="The package asks for it, so it must stand in run.", fix="Add it to run."))
COMMANDS = register(Rule("RCP066", "The commands of the tests end well", section=BUILD,
                  why="conda-forge publishes only what passes.", fix="Read what the command said and mend it."))
INSTALLED = register(Rule("RCP067", "The built package installs and imports", section=BUILD,
                   why="That is all that its users want.", fix="Read what the installation said."))
ADDRESS = register(Rule("RCP068", "The source's address serves the released file", section=BUILD,
                 why="conda-forge downloads it from there, and nobody can check a file that isn't published.",
                 fix="Publish the sdist and write PyPI's address with its name; where this machine can't tell, open "
                      "the address in a browser."))
ELSEWHERE = register(Rule("RCP069", "conda-forge's own channel and machines agree", section=BUILD,
                          severity=UNVERIFIED,
                   why="Only conda-forge's checks on the pull request can tell.",
                   fix="Open the pull request and wait for its checks."))
