"""The site that `make docs` builds: whole, and from a disk alone."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src"}


def _build(config: Path, to: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(config)]
    return subprocess.run([*command, "-d", str(to)], capture_output=True, text=True)


class _Links(HTMLParser):
    """What a page fetches, where it leads, and what can be led to in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.anchors.add(found.get("id", ""))
        if tag in FETCHED and FETCHED[tag] in found:
            self.fetched.append(found[FETCHED[tag]])
        if tag == "link" and found.get("rel") in ("stylesheet", "icon", "preload", "preconnect"):
            self.fetched.append(found["href"])
        if tag == "a" and "href" in found:
            self.links.append(found["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("material")
    folder = tmp_path_factory.mktemp("site")
    built = _build(ROOT / "tools" / "site" / "mkdocs.yml", folder)
    assert built.returncode == 0, built.stderr + built.stdout
    return folder


def test_every_page_of_the_docs_is_in_it(site: Path) -> None:
    pages = {each.stem for each in (ROOT / "docs").glob("*.md")}
    assert pages == {each.stem for each in site.glob("*.html")} - {"404"}
    assert {each.stem for each in (site / "project").glob("*.html")} >= {"architecture", "security"}


def test_links_lead_to_pages_and_sections_of_it(site: Path) -> None:
    parsed = {page: _Links(page.read_text()) for page in site.rglob("*.html")}
    dangling = []
    for page, found in parsed.items():
        if page.name == "404.html":
            continue
        for link in found.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            section = unquote(parts.fragment)
            if not target.exists() or (section and section not in parsed[target].anchors):
                dangling.append(f"{page.relative_to(site)}: {link}")
    assert dangling == []


def test_it_fetches_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        away = [each for each in _Links(page.read_text()).fetched if urlsplit(each).netloc]
        assert away == [], page
    for style in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(https?:)?//", style.read_text()), style


def test_it_can_be_searched_without_a_server(site: Path) -> None:
    """A browser lets a page of a disk read no JSON; what it searches has to be a script."""
    index = site / "search" / "search_index.js"
    assert "watchdog" in index.read_text()
    shim = site / "assets" / "iframe-worker.js"
    assert "window.Worker = IFrameWorker" in shim.read_text()
    assert "assets/iframe-worker.js" in _Links((site / "index.html").read_text()).fetched


def test_a_link_to_nothing_fails_the_build(tmp_path: Path) -> None:
    pytest.importorskip("material")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# A\n\n[b](#nowhere)\n")
    text = (ROOT / "tools" / "site" / "mkdocs.yml").read_text()
    text = text.replace("../../docs", "docs").replace("hooks: [hooks.py]\n", "").split("nav:")[0]
    (tmp_path / "mkdocs.yml").write_text(text)
    built = _build(tmp_path / "mkdocs.yml", tmp_path / "site")
    assert built.returncode != 0
    assert "nowhere" in built.stderr
