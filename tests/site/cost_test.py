"""Where nothing is required, nothing that signatures need is imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CODE = """
import sys
from sakedge.site import Site
site = Site.open()
assert bytes(site.admit({file!r}, "pack").content) == b"x"
site.allow("swap"); site.check_license(None, "x"); site.record("swap")
heavy = {{"cryptography", "securesystemslib", "tuf", "pyrage"}} & set(sys.modules)
assert not heavy, heavy
"""


def test_no_site_costs_no_import(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    code = CODE.format(file=str(tmp_path / "x"))
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
