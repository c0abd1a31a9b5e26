"""What can go wrong with a watch, each as a rule with its remedy."""

from __future__ import annotations

from labhandbook.core.rules import WARNING, Rule, register

FILE, LOGIN, REPORTS, NOTICES, POLITE = (
    "sec-watching-file", "sec-watching-login", "sec-watching-reports", "sec-watching-notices", "sec-watching-polite")

FORM = register(Rule(
    "WAT001", "A watched page has the form in which its items were found", section=REPORTS,
    why="A site that is built anew has other classes. The selector then finds nothing, which looks as if there "
        "were no news. What was seen stays known.",
    fix="Open the page, find the list again, and correct `items` and `list` in your file."))
ANSWER = register(Rule(
    "WAT002", "What is watched answers", section=REPORTS,
    why="Nothing new can be found while it does not. An error that may pass is reported as not verified on its first "
        "day and as an error after that.",
    fix="Open the address in a browser. Correct it if it has moved, or remove the watch."))
ACCEPTED = register(Rule(
    "WAT003", "The login is accepted", section=LOGIN,
    why="The page shows its items only to those who are logged in. After a refusal the next attempt waits a day, so "
        "that your account is not locked.",
    fix="Log in by hand with the same name and password, correct the variable or the keyring's entry, and run the "
        "command with `--now`."))
ALLOWED = register(Rule(
    "WAT004", "The site's robots.txt allows programs to read the address", section=POLITE,
    why="The site asks programs to stay away from it. The address was not asked for.",
    fix="Watch a feed or another page of the site, or ask the site's owner.", source="RFC 9309"))
DELIVERED = register(Rule(
    "WAT005", "Each notice is delivered", section=NOTICES,
    why="The items are kept as not delivered, and the next run tries again.",
    fix="Correct what the message names: the mail server's variables, or the command."))
DAMAGED = register(Rule(
    "WAT006", "The state can be read", section=REPORTS, severity=WARNING,
    why="A disk that was full or another program left half of the file. The copy from the write before is used. An "
        "item that was delivered in between is delivered again, with the same id.",
    fix="Nothing: the state is written anew. If it happens again, check the disk."))
ADDRESSES = register(Rule(
    "WAT007", "Items keep their addresses", section=REPORTS, severity=WARNING,
    why="All addresses on the page are new and the titles are those of before: the site has moved its pages. The "
        "items with known titles are not reported as new.",
    fix="Nothing, if the titles are right. Look at the page if you expected something new."))
