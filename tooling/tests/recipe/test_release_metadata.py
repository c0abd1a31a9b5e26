"""What the files of a release say of it: modules, licence, addresses, words."""

from __future__ import annotations

from pathlib import Path

import pytest

from labhandbook.package.distribution import Distribution, read
from labhandbook.recipe.release_metadata import addresses, by_words, entry_points, imports, licence, stubs
from tooling.tests.recipe.samples import LICENCE, Release

APACHE = "Apache License\n  Version 2.0, January 2004\n"
BSD = "Redistribution and use in source and binary forms, with or without modification, are permitted.\n"
CLAUSE = "Neither the name of the author nor the names of its contributors may be used to endorse products.\n"


def files(release: Release, folder: Path) -> tuple[Distribution, Distribution]:
    """The sdist and the wheel of a release."""
    for name, data in (release.sdist(), release.wheel()):
        (folder / name).write_bytes(data)
    return read(folder / release.sdist()[0]), read(folder / release.wheel()[0])


@pytest.mark.parametrize(("modules", "found"), [
    (("demo/__init__.py", "demo/cli.py"), ["demo"]),
    (("demo/__init__.py", "more/__init__.py", "single.py"), ["demo", "more", "single"]),
    (("space/one/__init__.py", "space/one/a.py", "space/two/__init__.py"), ["space.one", "space.two"]),
    (("demo/__init__.py", "_demo/__init__.py", "tests/__init__.py", "docs/__init__.py"), ["demo"]),
    (("_demo/__init__.py",), ["_demo"]),
])
def test_every_top_level_module_is_imported(modules: tuple[str, ...], found: list[str], tmp_path: Path) -> None:
    assert imports(files(Release(modules=modules), tmp_path)[1]) == found


@pytest.mark.parametrize(("said", "text", "guess", "found"), [
    ("License-Expression: mit or apache-2.0", LICENCE, "", "MIT OR Apache-2.0"),
    ("License: BSD-3-Clause", "", "", "BSD-3-Clause"),
    ("Classifier: License :: OSI Approved :: MIT License", "", "", "MIT"),
    ("Classifier: License :: OSI Approved :: Apache Software License", APACHE, "", "Apache-2.0"),
    ("", LICENCE, "", "MIT"),
    ("", BSD, "", "BSD-2-Clause"),
    ("", BSD + CLAUSE, "", "BSD-3-Clause"),
    ("License: BSD", "All rights.\n", "BSD-3-Clause", "BSD-3-Clause"),
    ("License: Own", "All rights.\n", "BSD-3-Clause", ""),
    ("Classifier: License :: OSI Approved :: BSD License", "", "", ""),
])
def test_the_licence_is_what_the_files_say(said: str, text: str, guess: str, found: str, tmp_path: Path) -> None:
    sdist, wheel = files(Release(licence=said, text=text), tmp_path)
    right, doubt = licence(sdist, wheel, guess)
    assert right == found
    assert ("LICENSE" in doubt or "grayskull" in doubt) is bool(found and not said.startswith(("License-E", "Class"))
                                                               and said != "License: BSD-3-Clause"), doubt


def test_two_licence_texts_give_no_licence(tmp_path: Path) -> None:
    sdist, wheel = files(Release(licence="", files={"LICENSE-APACHE": APACHE}), tmp_path)
    assert licence(sdist, wheel) == ("", "") and by_words(APACHE) == "Apache-2.0"


def test_a_file_that_says_another_licence_is_quoted(tmp_path: Path) -> None:
    sdist, wheel = files(Release(licence="License-Expression: MIT", text=APACHE), tmp_path)
    assert licence(sdist, wheel) == ("MIT", "the metadata say MIT, and LICENSE looks like Apache-2.0: it begins "
                                            "'Apache License'; check the licence")
    (tmp_path / "unstated").mkdir()
    sdist, wheel = files(Release(licence="", text="Demo's terms\n\n" + LICENCE), tmp_path / "unstated")
    assert licence(sdist, wheel) == ("MIT", "the metadata name no licence; MIT is read from LICENSE, which begins "
                                            "\"Demo's terms\": check it")


def test_entry_points_lose_their_extras(tmp_path: Path) -> None:
    _, wheel = files(Release(commands="[console_scripts]\ndemo = demo.cli:main [cli]\n"), tmp_path)
    assert entry_points(wheel) == ["demo = demo.cli:main"]


def test_type_stubs_are_not_imported(tmp_path: Path) -> None:
    _, wheel = files(Release(modules=("demo-stubs/__init__.pyi", "demo-stubs/py.typed")), tmp_path)
    assert imports(wheel) == [] and stubs(wheel) == ["**/demo-stubs/**"]


def test_addresses_come_from_labels_and_links(tmp_path: Path) -> None:
    urls = "\n".join(f"Project-URL: {one}" for one in (
        "Source Code, https://github.com/example/demo.git", "Docs, https://demo.example.org",
        "Funding, https://pay.me"))
    _, wheel = files(Release(extra=urls), tmp_path)
    assert addresses(wheel) == {"homepage": "https://example.org/demo", "documentation": "https://demo.example.org",
                                "repository": "https://github.com/example/demo"}
    bare = Release(readme="See [the code](https://github.com/example/demo) and https://github.com/other/thing.\n")
    _, wheel = files(bare, tmp_path)
    assert addresses(wheel)["repository"] == "https://github.com/example/demo"
