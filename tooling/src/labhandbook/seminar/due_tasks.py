"""The checklist of a talk: who does what on which day, and what is due."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from labhandbook.core.errors import HandbookError
from labhandbook.core.wording import hint, listed
from labhandbook.core.yaml_reader import read_yaml
from labhandbook.seminar.talk import FIELDS, TEXTS, Folder, Talk
from labhandbook.seminar.talk_texts import template, words, words_in

TASKS = "checklist.yml"
AHEAD = 7  # days of what comes next
ONLY = ("room", "zoom", "recording")


@dataclass(frozen=True)
class Task:
    """One thing to do for a talk. `name` is what `done` lists in the talk's file.

    `open` is False when the talk's file holds the facts that the task would bring.
    """

    name: str
    day: date
    offset: int
    who: str
    text: str
    talk: Talk
    open: bool = True

    def state(self, today: date) -> str:
        """Whether it is late, for today, or to come."""
        return "overdue" if self.day < today else "today" if self.day == today else "soon"

    def as_json(self, today: date) -> dict[str, object]:
        """The same for machines."""
        return {"talk": self.talk.file, "task": self.name, "day": str(self.day), "offset": self.offset,
                "who": self.who, "text": self.text, "state": self.state(today)}


def due(folder: Folder, today: date, ahead: int = AHEAD) -> list[Task]:
    """What is not done of what is due by `today` or in the days ahead, in the order of days.

    Talks whose last task was due more than a fortnight ago are over.
    """
    found = []
    for talk in folder.talks:
        tasks = list(checklist(folder, talk))
        if tasks and today <= tasks[-1].day + timedelta(14):
            done = set(talk.words("done"))
            found += [task for task in tasks
                      if task.open and task.name not in done and task.day <= today + timedelta(ahead)]
    return sorted(found, key=lambda task: (task.day, task.talk.order))


def checklist(folder: Folder, talk: Talk) -> Iterator[Task]:
    """All tasks of a talk in the order of days, done or not. Raises HandbookError for a task without its parts."""
    if talk.day is None or talk.cancelled:
        return
    text, shown = template(folder, TASKS)
    value = read_yaml(text, shown, section=TEXTS)
    holds = {"room": bool(talk["room"]), "zoom": bool(talk["zoom"]), "recording": talk.recorded is not False}
    meant, tasks = words(folder, talk), []
    for item in value.items:
        name, offset, only = item["task"].text, item["day"].data, item["only"].word
        facts = [each.text for each in item["until"].words]
        unknown = next((each for each in facts if each not in FIELDS), "")
        wrong = ("its `task` is missing" if not name else "`day` is not a number of days, such as -14"
                 if not isinstance(offset, int) or abs(offset) > 365 else "`do` is missing" if not item["do"].text
                 else f"`only` is {only}{hint(only, ONLY)}" if only and only not in ONLY
                 else f"`until` names {unknown}{hint(unknown, FIELDS)}" if unknown else "")
        if wrong:
            raise HandbookError(f"a task can't be read: {wrong}", where=f"{shown}:{item.line}",
                                todo="correct that task", section=TEXTS)
        if not only or holds[only]:
            role = item["who"].text or "organiser"
            person = {"host": talk["host"], "speaker": talk["speaker"]}.get(role) or folder.series["roles"][role].text
            lacks = [each for each in facts if not talk[each] or (each == "recording" and talk.recorded is None)]
            text = words_in(item["do"].text, {**meant, "MISSING": listed(lacks)}, f"{shown}:{item['do'].line}")
            tasks.append(Task(name, talk.day + timedelta(offset), offset, f"{role} ({person})" if person else role,
                              text, talk, not facts or bool(lacks)))
    yield from sorted(tasks, key=lambda task: task.day)


def as_text(tasks: list[Task], today: date) -> str:
    """What is due, for a person: one line for each task."""
    lines = []
    for task in tasks:
        when = f"T{task.offset:+d}" if task.offset else "T"
        lines.append(f"{task.state(today):<8} {task.day} {when:<5} {task.who}: {task.text} [{task.name}, "
                     f"{task.talk.path.name}]")
    return "\n".join(lines)
