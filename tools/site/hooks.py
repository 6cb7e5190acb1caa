"""What MkDocs is told besides: the pages beside `docs/`, and links between the two.

In the repository a page of `docs/` links to ARCHITECTURE.md above it, and that to `docs/model.md`.
In the site the pages of the root lie in `project/`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
PAGES = {
    f"project/{name.lower()}.md": f"{name}.md"
    for name in ("ARCHITECTURE", "CHANGELOG", "CONTRIBUTING", "SECURITY")
}
"""Of the site → of the repository."""
_LINK = re.compile(r"(\]\()([^)#\s]+)((?:#[^)\s]*)?\))")


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages of the repository's root, and the site's own script and style."""
    for name in ("iframe-worker.js", "site.css"):
        content = Path(__file__).with_name(name).read_text()
        files.append(File.generated(config, f"assets/{name}", content=content))
    for place, name in PAGES.items():
        files.append(File.generated(config, place, content=(ROOT / name).read_text()))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Points links at where their pages are in the site."""
    is_root = page.file.src_uri in PAGES
    return _LINK.sub(lambda found: found[1] + _target(found[2], is_root) + found[3], markdown)


def _target(link: str, is_root: bool) -> str:
    if "://" in link:
        return link
    by_name = {name: place for place, name in PAGES.items()}
    if is_root:
        if link.startswith("docs/"):
            return f"../{link.removeprefix('docs/')}"
        return by_name[link].removeprefix("project/") if link in by_name else link
    name = link.removeprefix("../")
    return by_name[name] if link.startswith("../") and name in by_name else link
