"""Hostile recipes, archives, job scripts, answers of Slurm, and words on the command line."""

from __future__ import annotations

import functools
import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from typing import Any

from tooling.tests.hostile.parts import (
    BILLION,
    BYTES,
    DIGITS,
    ESCAPE,
    LONG,
    NAME,
    VALUES,
    YAML,
    Files,
    Folder,
    Link,
    Pipe,
    Program,
    changed,
)

RECIPE: dict[str, Any] = {
    "schema_version": 1, "context": {"version": "1.0.0"}, "package": {"name": "demo", "version": "${{ version }}"},
    "source": {"url": "https://example.org/demo-1.0.0.tar.gz", "sha256": "ab" * 32},
    "build": {"number": 0, "noarch": "python", "script": "pip install ."},
    "requirements": {"host": ["python", "pip"], "run": ["python >=3.11"]},
    "tests": [{"python": {"imports": ["demo"]}}],
    "about": {"homepage": "https://example.org", "summary": "A demo.", "license": "MIT", "license_file": "LICENSE"},
    "extra": {"recipe-maintainers": ["someone"]},
}
PLACES = ("schema_version", "context", "context.version", "package", "package.name", "package.version", "source",
          "source.url", "source.sha256", "build", "build.number", "build.script", "build.python",
          "build.python.entry_points", "requirements", "requirements.host", "requirements.run", "tests", "about",
          "about.license", "about.license_file", "extra", "extra.recipe-maintainers", "outputs", "cache", "recipe")
EXPRESSIONS = {
    "memory": "${{ 'a'*999999999 }}", "power": "${{ 9**9**9 }}", "range": "${{ range(10**9)|list }}",
    "open": "${{ " * 3_000, "unknown": "${{ nonsense }}", "import": "${{ ''.__class__.__mro__ }}", "escape": ESCAPE,
    "env": "${{ env.get('HOME') }}", "filters": "${{ 'a'|replace('a', 'b'*9999999) }}",
    "include": "${% include '/etc/passwd' %}", "nul": "${{ '\\x00' }}",
}
V0 = {
    "range": "{% for i in range(10**9) %}a{% endfor %}\npackage: {name: demo, version: 1}\n",
    "memory": "{{ 'a'*999999999 }}\n", "brackets": "{{ " * 3_000,
    "set": "{% set version = '1' * 10**9 %}\npackage:\n  name: demo\n  version: {{ version }}\n",
    "recursion": "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}\n",
    "import": "{{ ''.__class__.__mro__[1].__subclasses__() }}", "include": "{% include '/etc/passwd' %}\n",
    "selectors": "package: # [" + "(" * 3_000 + "\n  name: demo  # [__import__('os')]\n",
    "escape": f"package:\n  name: demo{ESCAPE}\n  version: 1\n",
    "environ": "{{ environ['HOME'] }}{{ load_file_data('/etc/x') }}",
}


def dump(data: object) -> str:
    """Data as YAML, which JSON is; characters as their codes, so that a parser gets them."""
    return json.dumps(data)


RECIPES: dict[str, Files] = {
    **{f"yaml-{name}": {"recipe.yaml": text} for name, text in YAML.items()},
    **{f"{place}={name}": {"recipe.yaml": dump(changed(RECIPE, place, value))} for place in PLACES
       for name, value in VALUES.items()},
    **{f"{place}-{name}": {"recipe.yaml": dump(changed(RECIPE, place, text))} for name, text in EXPRESSIONS.items()
       for place in ("context.version", "package.name", "source.url")},
    **{f"v0-{name}": {"recipe.yaml": None, "meta.yaml": text} for name, text in V0.items()},
    "pipe": {"recipe.yaml": Pipe()}, "folder": {"recipe.yaml": Folder()},
    "loop": {"recipe.yaml": Link("recipe.yaml")},
    "zero": {"recipe.yaml": Link("/dev/zero")}, "both": {"meta.yaml": "a: 1"}, "nothing": {"recipe.yaml": None},
    "patches": {"recipe.yaml": dump(changed(RECIPE, "source.patches", ["../../../x", "/etc/passwd", 5]))},
    "file": {"recipe.yaml": dump(changed(RECIPE, "source.url", "file:///etc/passwd"))},
    "path": {"recipe.yaml": dump(changed(RECIPE, "source", {"path": "../../.."}))}, "number-large": {
        "recipe.yaml": dump(changed(RECIPE, "build.number", int(DIGITS[:4_000])))},
    "infinite": {"recipe.yaml": dump(RECIPE).replace('"number": 0', '"number": 1e999')},
    "closed": {".": Folder(closed=True)},
    "digits": {"recipe.yaml": dump(RECIPE).replace('"number": 0', f'"number": {DIGITS}')}, "long": {
        "recipe.yaml": dump(changed(RECIPE, "package.name", LONG))},
        "feedstock": {"recipe/recipe.yaml": Pipe(), "recipe.yaml": None},
    "variants": {"variants.yaml": BILLION, "conda_build_config.yaml": "5", "conda-forge.yml": "[1"}, "names": {
        f"{NAME}/recipe.yaml": dump(RECIPE), f"{BYTES}/recipe.yaml": "a: 1"},
        "git": {".git": ESCAPE, "build.sh": Program()},
}
SBATCH = "#!/bin/bash\n#SBATCH --partition=small\n#SBATCH --time=01:00:00\n#SBATCH --nodes=1\n"
LINES = {
    "escape": f"#SBATCH --{ESCAPE}={ESCAPE}\n#SBATCH --partition={ESCAPE}\n",
    "long": f"#SBATCH --comment={'a' * 1_000_000}\n",
    "many": "#SBATCH --nodes=1\n" * 20_000, "time": f"#SBATCH --time={DIGITS}\n",
    "nodes": f"#SBATCH --nodes={DIGITS}\n",
    "memory": "#SBATCH --mem=1e999\n", "memory-digits": f"#SBATCH --mem={DIGITS}T\n",
    "array": f"#SBATCH --array=0-{DIGITS}\n",
    "array-step": "#SBATCH --array=0-999999999:0,1-2%0\n", "array-many": "#SBATCH --array=" + "1," * 200_000 + "\n",
    "superscript": "#SBATCH --nodes=²\n#SBATCH --time=²:²\n#SBATCH --gpus-per-node=²\n#SBATCH --array=²\n",
    "negative":
    "#SBATCH --nodes=-1\n#SBATCH --time=-1:-1\n#SBATCH --mem=-5G\n#SBATCH --ntasks=-9\n",
    "quote": "#SBATCH --comment='a\n",
    "zero": "#SBATCH --nodes=0\n#SBATCH --ntasks-per-node=0\n#SBATCH --cpus-per-task=0\n#SBATCH --time=0\n", "equals":
    "#SBATCH --nodes=\n#SBATCH --\n#SBATCH -\n#SBATCH =\n#SBATCH --gres=gpu:\n#SBATCH --gres=::::\n", "nul": "a\0b\n",
    "heredoc": "cat <<EOF\n" * 5_000, "backslash": "\\\n" * 50_000,
    "out": "#SBATCH --output=../../../../x/%j\n#SBATCH --output=\0\n",
    "output-long": f"#SBATCH --output={LONG}/x\n", "het": "#SBATCH hetjob\n#SBATCH hetjob\n",
    "gpus": f"#SBATCH --gpus=a:{DIGITS}\n",
    "range": "#SBATCH --nodes=1-999999999\n#SBATCH --nodes=9-1\n",
    "commands": "echo $(touch owned) `touch owned`\n" * 2_000,
    "cpus": f"#SBATCH --cpus-per-task={DIGITS}\n#SBATCH --ntasks={DIGITS}\n",
    "cr": "#SBATCH --nodes=1\r\n#SBATCH -t 1\r",
}
SCRIPTS: dict[str, Files] = {
    **{name: {"job.sh": SBATCH + text} for name, text in LINES.items()}, "empty": {"job.sh": ""},
    "folder": {"job.sh": Folder()},
    "pipe": {"job.sh": Pipe()}, "zero-device": {"job.sh": Link("/dev/zero")},
    "not-utf8": {"job.sh": b"#!/bin/sh\n\xff\xfe\n"},
    "loop": {"job.sh": Link("job.sh")}, "missing": {"job.sh": Link("nowhere")},
    "binary": {"job.sh": bytes(range(256)) * 40},
}
HEAD = ("JobID|JobName|Partition|State|Elapsed|Timelimit|AllocTRES|ReqTRES|TotalCPU|MaxRSS|NCPUS|AllocCPUS|ReqMem|"
        "NNodes|ConsumedEnergyRaw|TRESUsageInTot|Submit|Start|End|ExitCode|Cluster|User|Account\n")
ANSWERS: dict[str, Files] = {name: {"answer.txt": text} for name, text in {
    "empty": "", "head": HEAD, "escape": HEAD + "|".join(["1", ESCAPE, ESCAPE, ESCAPE] + [ESCAPE] * 19) + "\n",
    "digits": HEAD + "|".join(["1", *[DIGITS] * 22]) + "\n", "negative": HEAD + "|".join(["1", *["-1"] * 22]) + "\n",
    "short": HEAD + "1|a\n", "wide": HEAD + "1|" * 5_000 + "\n", "no-head": "1|a|b\n", "nul": HEAD + "1|\0\n",
        "binary": b"\xff\xfe\0",
    "units": HEAD + "|".join(["1", *["1e999P", "²", "NaN", "inf"] * 5, "x", "y"]) + "\n",
        "many": HEAD + "1_1|a\n" * 20_000,
    "array": HEAD + "1_[0-" + DIGITS + "]|a|b|PENDING\n", "twice": HEAD.strip() + "|" + HEAD,
        "trees": HEAD + "1|a|b|c|" + "=,:" * 999 + "\n",
}.items()}
PKG_INFO = "Metadata-Version: 2.4\nName: demo\nVersion: 1.0.0\nSummary: A demo.\nLicense-Expression: MIT\n"


@functools.cache
def tar(*members: tuple[str, bytes, int]) -> bytes:
    """A .tar.gz; a member is its name, content and type.

    1 is a regular file, 2 and 3 are links to what the content names, 6 is a pipe.
    """
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content, kind in members:
            info = tarfile.TarInfo(name)
            info.size = len(content) if kind == 1 else 0
            info.type = {1: tarfile.REGTYPE, 2: tarfile.SYMTYPE, 3: tarfile.LNKTYPE, 6: tarfile.FIFOTYPE}[kind]
            info.linkname = content.decode() if kind in (2, 3) else ""
            archive.addfile(info, io.BytesIO(content) if kind == 1 else None)
    return stream.getvalue()


def wheel(method: int = zipfile.ZIP_DEFLATED, name: str = "demo/__init__.py", content: bytes = b"",
info: str = PKG_INFO) -> bytes:
    """A wheel with one module."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for member, data in {name: content, "demo-1.0.0.dist-info/METADATA": info.encode("utf-8", "surrogateescape"),
                             "demo-1.0.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n",
                             "demo-1.0.0.dist-info/RECORD": b""}.items():
            archive.writestr(member, data)
    return stream.getvalue()


def spoiled(data: bytes) -> bytes:
    """An archive whose compressed content is changed in its middle."""
    return data[:60] + b"\xff" * 40 + data[100:]


def sdist(name: str, content: bytes, kind: int = 1) -> Callable[[], bytes]:
    """An sdist with one more member."""
    return lambda: tar(("demo-1.0.0/PKG-INFO", PKG_INFO.encode(), 1), ("demo-1.0.0/pyproject.toml", b"", 1),
    (name, content, kind))


SDISTS: dict[str, Any] = {
    "empty": b"", "cut": lambda: sdist("demo-1.0.0/a.py", b"a" * 9_999)()[:150], "not-gzip": b"text", "zip": wheel,
    "spoiled": lambda: spoiled(sdist("demo-1.0.0/a.py", bytes(range(256)) * 40)()),
    "out": sdist("../../../owned", b"a"),
    "absolute": sdist("/tmp/owned", b"a"), "link": sdist("demo-1.0.0/x", b"/etc", 2),
    "hard-link": sdist("demo-1.0.0/x", b"../../x", 3),
    "pipe": sdist("demo-1.0.0/x", b"", 6), "escape": sdist(f"demo-1.0.0/{NAME}.py", b""),
    "bytes": sdist(f"demo-1.0.0/{BYTES}", b""),
    "bomb": lambda: gzip.compress(b"\0" * 300_000_000, 1), "no-metadata": lambda: tar(("demo-1.0.0/x", b"", 1)),
    "pipe-file": Pipe(),
    "metadata-escape": lambda: tar(("demo-1.0.0/PKG-INFO",
        f"{PKG_INFO}Summary: {ESCAPE}\nRequires-Dist: {ESCAPE}\n".encode(), 1)),
    "metadata-binary": lambda: tar(("demo-1.0.0/PKG-INFO", b"\xff\xfe\0" * 99, 1)), "zero-device": Link("/dev/zero"),
    "folder": Folder(),
    "metadata-version": lambda: tar(("demo-1.0.0/PKG-INFO", PKG_INFO.replace("1.0.0", DIGITS).encode(), 1)),
    "loop": Link("demo-1.0.0.tar.gz"),
    "pyproject": sdist("demo-1.0.0/pyproject.toml", BILLION.encode()),
    "many": lambda: tar(*[(f"demo-1.0.0/{n}", b"", 1) for n in range(3_000)]),
    "long-name": sdist(f"demo-1.0.0/{LONG}", b""), "deep-name": sdist("demo-1.0.0/" + "a/" * 3_000 + "b", b""),
}
DISTS: dict[str, Files] = {name: {"demo-1.0.0.tar.gz": data} for name, data in SDISTS.items()}
WHEELS: dict[str, Any] = {
    "lzma": lambda: spoiled(wheel(zipfile.ZIP_LZMA, content=bytes(range(256)) * 40)), "cut": lambda: wheel()[:100],
    "empty": b"",
    "bzip2": lambda: spoiled(wheel(zipfile.ZIP_BZIP2, content=bytes(range(256)) * 40)),
    "out": lambda: wheel(name="../../../owned"),
    "escape": lambda: wheel(info=f"{PKG_INFO}Requires-Dist: {ESCAPE}\n"), "name": lambda: wheel(name=f"demo/{NAME}"),
    "pipe": Pipe(),
    "bomb": lambda: wheel(content=b"\0" * 300_000_000), "metadata": lambda: wheel(info=BYTES * 99),
    "folder": Folder(),
}
ARCHIVES: dict[str, Files] = {
    **{f"sdist-{name}": {"dist/demo-1.0.0.tar.gz": data} for name, data in SDISTS.items()},
    **{f"wheel-{name}": {"dist/demo-1.0.0-py3-none-any.whl": data} for name, data in WHEELS.items()},
}
# Words for any option or argument, whatever it expects.
WORDS = {"empty": "", "escape": ESCAPE, "bytes": BYTES, "long": LONG, "digits": DIGITS, "lines": "a\n::error::b",
"dash": "-",
         "out": "../../../nowhere", "zero": "/dev/zero", "full": "/dev/full", "null": "/dev/null", "superscript": "²",
         "root": "/",
         "infinite": "1e999", "negative": "-1", "option": "--nonsense", "name": NAME, "process": "/proc/self/mem",
         "folder": "."}

TALK_FILE = "2026-12-03-demo.yml"
TALK: dict[str, Any] = {
    "speaker": "A. Person", "affiliation": "A group", "title": "A talk", "date": "2026-12-03", "start": "10:15",
    "end": "11:00", "room": "A room", "abstract": "A text.", "host": "B. Person", "recording": "no", "uid": "a-1",
}
TALKS: dict[str, Files] = {
    **{f"yaml-{name}": {TALK_FILE: text} for name, text in YAML.items()},
    **{f"series-{name}": {"series.yml": text} for name, text in YAML.items()},
    **{f"{field}={name}": {TALK_FILE: dump({**TALK, field: value})} for field in TALK
       for name, value in {**VALUES, "lines": "a\r\nBcc: b@example.org", "digits": DIGITS}.items()},
    "pipe": {TALK_FILE: Pipe()}, "folder": {TALK_FILE: Folder()}, "loop": {TALK_FILE: Link(TALK_FILE)},
    "feed": {"talks.ics": b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:\xff\r\n"},
}
HEAD = "name,affiliation,where,people\n"
LISTS: dict[str, Files] = {name: {"attendance.csv": node} for name, node in {
    "empty": "", "not-utf8": HEAD.encode() + b"\xff\xfe,,,\n", "utf16": (HEAD + "A,,,\n").encode("utf-16"),
    "quote": HEAD + 'A,"' + "x\n" * 200_000, "cell": HEAD + LONG * 2_000, "digits": f"{HEAD},,zoom,{DIGITS}\n",
    "escape": f"{HEAD}{ESCAPE},,{ESCAPE},{ESCAPE}\n", "commas": HEAD + "," * 300_000, "nul": HEAD + "A\0B,,,\n",
    "head": f"{ESCAPE},{LONG}\n", "pipe": Pipe(), "folder": Folder(), "loop": Link("attendance.csv"),
}.items()}
# A gate that refuses at once, so that nothing reaches a network.
WATCHED: dict[str, Any] = {"contact": "a@example.org", "every": "6h", "notify": {"command": ["true"]}, "watches": [
    {"name": "A", "page": "http://127.0.0.1:9/", "list": "ul", "items": "li", "login": {
        "page": "http://127.0.0.1:9/login", "fields": {"pw": "env:NO_SUCH_VARIABLE"}}}]}
WATCHES: dict[str, Files] = {
    **{f"yaml-{name}": {"watch.yml": text} for name, text in YAML.items()},
    **{f"{field}={name}": {"watch.yml": dump({**WATCHED, field: value})} for field in WATCHED
       for name, value in VALUES.items()},
    **{f"watch.{field}={name}": {"watch.yml": dump({**WATCHED, "watches": [{**WATCHED["watches"][0], field: value}]})}
       for field in WATCHED["watches"][0] for name, value in {**VALUES, "nested": ":not(" * 90}.items()},
    **{f"state-{name}": {"state.json": text} for name, text in {
        "list": "[]", "types": '{"format": 1, "watches": {"A": {"seen": 5}}, "hosts": {}, "notices": []}',
        "notices": '{"format": 1, "watches": {}, "hosts": {}, "notices": [{"left": 5}]}',
        "hosts": '{"format": 1, "watches": {}, "hosts": {"127.0.0.1:9": {"until": "x"}}, "notices": []}',
        "deep": "[" * 99_999, "not-utf8": b"\xff\xfe", "digits": DIGITS}.items()},
    "pipe": {"watch.yml": Pipe()}, "folder": {"watch.yml": Folder()}, "loop": {"watch.yml": Link("watch.yml")},
    "state-pipe": {"state.json": Pipe()}, "state-folder": {"state.json": Folder()}, "lock": {
        "state.json.lock": Link("../outside.txt")}, "lock-pipe": {"state.json.lock": Pipe()},
}
SITES: dict[str, Files] = {
    "unclosed": {"index.html": "<html><body><main><p" * 2_000}, "not-utf8": {"index.html": b"<main>\xff\xfe</main>"},
    "escape": {"index.html": f"<main><h1 id='a'>{ESCAPE}</h1></main>"}, "empty": {"index.html": ""},
    "pipe": {"index.html": Pipe()}, "loop": {"index.html": Link("index.html")}, "folder": {"index.html": Folder()},
}
