"""What can go wrong with a watch, each as a rule with its remedy."""

from __future__ import annotations

from labhandbook.core.rules import WARNING, Rule, register

FILE, LOGIN, REPORTS, NOTICES, POLITE = (
    "sec-watching-file", "sec-watching-login", "sec-watching-reports", "sec-watching-notices", "sec-watching-polite")

FORM = register(Rule(
    "WAT001", "A watched page has the form in which its items were found", section=REPORTS,
    why="When a site gets a new design, its elements often get other classes. The selector then finds nothing, and "
        "it looks as if there were no news. The kit keeps the list of items that it has seen.",
    fix="Open the page, look up the selector of the list, and correct `items` and `list` in your file."))
ANSWER = register(Rule(
    "WAT002", "What is watched answers", section=REPORTS,
    why="The kit finds no news while the site does not answer. An error that can be temporary is reported as not "
        "verified on its first day, and as an error after that.",
    fix="Open the address in a browser. Correct it if it has moved, or remove the watch."))
ACCEPTED = register(Rule(
    "WAT003", "The login is accepted", section=LOGIN,
    why="The page shows its items only to those who are logged in. After a refusal the next attempt waits a day, so "
        "that your account is not locked.",
    fix="Log in by hand with the same name and password, correct the variable or the keyring's entry, and run the "
        "command with `--now`."))
ALLOWED = register(Rule(
    "WAT004", "The site's robots.txt allows programs to read the address", section=POLITE,
    why="The site asks programs not to read this address, so the kit did not request it.",
    fix="Watch a feed or another page of the site, or ask the site's owner.", source="RFC 9309"))
DELIVERED = register(Rule(
    "WAT005", "Each notice is delivered", section=NOTICES,
    why="Nobody got the notice. The kit keeps its items as not delivered, and the next run tries again.",
    fix="Correct what the message names: the mail server's variables, or the command."))
DAMAGED = register(Rule(
    "WAT006", "The state can be read", section=REPORTS, severity=WARNING,
    why="A full disk or another program damaged the file. The kit uses the copy of an earlier write. Items that "
        "were delivered after it are delivered again, with the same id.",
    fix="You need to do nothing: this run writes the file again. If it happens again, check the disk."))
ADDRESSES = register(Rule(
    "WAT007", "Items keep their addresses", section=REPORTS, severity=WARNING,
    why="All addresses on the page are new, but the titles are known: the site has moved its pages. Items with known "
        "titles are not reported as new.",
    fix="You need to do nothing if the titles are right. Open the page if you expected something new."))
