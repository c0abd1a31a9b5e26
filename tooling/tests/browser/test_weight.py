"""No page is heavy: below 100 kB without the search index, as tooling/bench/page_weight.py measures it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tooling.bench.page_weight import opened, served
from tooling.tests.browser.conftest import listing

HEAVY = 100_000


@pytest.mark.long
def test_every_page_weighs_less_than_100_kb(site: Path, urls: list[str], browser: Any) -> None:
    heavy = {}
    with served(site) as (base, sent):
        for url in urls:
            sent.clear()
            opened(browser, base, url, slow=False)
            assert url in sent and any(name.endswith(".css") for name in sent), url
            if sum(sent.values()) > HEAVY:
                heavy[url] = [f"{size} {name}" for name, size in sent.items()]
    assert not heavy, listing(heavy)
