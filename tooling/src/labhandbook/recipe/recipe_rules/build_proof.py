"""Rules of a recipe that is built, tested and installed here."""

from __future__ import annotations

from labhandbook.recipe.recipe_rules.recipe_rule import UNVERIFIED, record

BUILD = "sec-conda-forge-build"
HASH = record("RCP060", "The source has the sha256 that the recipe names", section=BUILD,
              why="conda-forge refuses to build another file.",
              mend="Take the sha256 from PyPI; if the file itself changed, find out why.")
HOST = record("RCP061", "What host asks for can be installed", section=BUILD,
              why="Nothing is built without it.", mend="Correct the name or the bounds; see that the version exists.")
RUN = record("RCP062", "What run asks for can be installed", section=BUILD,
             why="Nobody could install the package.",
             mend="Correct the name or the bounds; see that the version exists.")
BUILT = record("RCP063", "The package can be built", section=BUILD,
               why="conda-forge does the same.", mend="Read what the build said; often host lacks a package.")
IMPORTS = record("RCP064", "The tests import what the package has", section=BUILD,
                 why="A package that doesn't import is not published.",
                 mend="Name the modules that the wheel has, and what they import under run.")
COMPLETE = record("RCP065", "pip check finds every dependency", section=BUILD,
                  why="The package asks for it, so it must stand in run.", mend="Add it to run.")
COMMANDS = record("RCP066", "The commands of the tests end well", section=BUILD,
                  why="conda-forge publishes only what passes.", mend="Read what the command said and mend it.")
INSTALLED = record("RCP067", "The built package installs and imports", section=BUILD,
                   why="That is all that its users want.", mend="Read what the installation said.")
ADDRESS = record("RCP068", "The source's address serves the released file", section=BUILD,
                 why="conda-forge downloads it from there, and nobody can check a file that isn't published.",
                 mend="Publish the sdist and write PyPI's address with its name; where this machine can't tell, open "
                      "the address in a browser.")
ELSEWHERE = record("RCP069", "conda-forge's own channel and machines agree", section=BUILD, severity=UNVERIFIED,
                   why="Only conda-forge's checks on the pull request can tell.",
                   mend="Open the pull request and wait for its checks.")
