"""Rules of a recipe against the release that it builds."""

from __future__ import annotations

from labhandbook.core.rules import WARNING, Rule, register

UPDATE = "sec-conda-forge-update"
ADDED = register(Rule("RCP050", "Every dependency of the release is in the recipe", section=UPDATE,
               why="Without the dependency the package installs but doesn't run; the bot adds it only with "
                   "update-grayskull.",
               fix="Add the line that the message gives.", asks="the index"))
REMOVED = register(Rule("RCP051", "Every requirement of the recipe is one of the release", section=UPDATE,
                 why="conda-forge's bot never removes a dependency, so users install packages that they don't need.",
                 fix="Remove the line, or keep the line and write the reason in a comment.", severity=WARNING,
                 asks="the index"))
CHANGED = register(Rule("RCP052", "Requirements have the bounds of the release", section=UPDATE,
                 why="conda would install versions that the package doesn't work with, or refuse versions that it "
                     "works with.",
                 fix="Write the bounds that the message gives.", asks="the index"))
MINIMUM = register(Rule("RCP053", "python_min follows the release's Requires-Python", section=UPDATE,
                 why="With a lower python_min, the package doesn't work on the oldest Python. With a higher one, "
                     "users are excluded without need.",
                 fix="Set python_min in context, or remove it.", asks="the index"))
COMMANDS = register(Rule("RCP054", "The recipe lists the entry points of the release", section=UPDATE,
                  why="conda makes a noarch package's commands from the recipe.",
                  fix="Write the entry points that the message gives.", asks="the index"))
LICENCE = register(Rule("RCP055", "The recipe names the licence and the licence files of the release", section=UPDATE,
                 why="The package would be distributed under other terms than its author's.",
                 fix="Take licence and file names from the sdist.", asks="the index"))
ADDRESSES = register(Rule("RCP056", "The recipe has the addresses of the release", section=UPDATE, severity=WARNING,
                   why="Links to old addresses don't work.", fix="Copy the addresses from the project's URLs.",
                   asks="the index"))
PATCHES = register(Rule("RCP058", "The patches of the recipe fit the release", section=UPDATE,
                 why="conda-forge's build ends at a patch that does not apply.",
                 fix="Make the patch again from the new sdist, or remove it if the release has the change.",
                 asks="the index"))
VERSION = register(Rule("RCP057", "The recipe has the version and sha256 of the release", section=UPDATE,
                 why="conda-forge would build a file that is not the released one.",
                 fix="Write the version and the sha256 of the release; a new version sets the "
                     "build number to 0.", asks="the index"))
