"""Rules of a recipe against the release that it builds."""

from __future__ import annotations

from labhandbook.core.rules import WARNING, Rule, register

UPDATE = "sec-conda-forge-update"
ADDED = register(Rule("RCP050", "Every dependency of the release stands in the recipe", section=UPDATE,
               why="Without it the package installs and doesn't run; the bot adds it only with update-grayskull.",
               fix="Add the line that the message gives."))
REMOVED = register(Rule("RCP051", "The recipe asks for nothing that the release doesn't", section=UPDATE,
                 why="conda-forge's bot never removes a dependency, so users install what nobody needs.",
                 fix="Remove the line, or keep it for a reason and say so beside it.", severity=WARNING))
CHANGED = register(Rule("RCP052", "Bounds are those of the release", section=UPDATE,
                 why="conda would install versions that the package doesn't work with, or refuse ones that it does.",
                 fix="Write the bounds that the message gives."))
MINIMUM = register(Rule("RCP053", "python_min follows the release's Requires-Python", section=UPDATE,
                 why="Below it the package doesn't work; above it users are kept out for nothing.",
                 fix="Set python_min in context, or remove it."))
COMMANDS = register(Rule("RCP054", "Entry points are those of the release", section=UPDATE,
                  why="conda makes a noarch package's commands from the recipe.",
                  fix="Write the entry points that the message gives."))
LICENCE = register(Rule("RCP055", "Licence and licence files are those of the release", section=UPDATE,
                 why="The package would be given away under other terms than its author's.",
                 fix="Take licence and file names from the sdist."))
ADDRESSES = register(Rule("RCP056", "Addresses are those of the release", section=UPDATE, severity=WARNING,
                   why="Links that moved lead users nowhere.", fix="Take them from the project's URLs."))
VERSION = register(Rule("RCP057", "Version and sha256 are those of the release", section=UPDATE,
                 why="Another file would be built than the one that was released.",
                 fix="Write both; a new version sets the build number to 0."))
