"""The whole way, from the command line, in a network namespace without a device and traced."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.trace import traced

WAY = """
import shutil, sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from sakedge.cli.app import build
from sakedge.trust.tuf.publisher import Publisher

app = build()

def run(*words, ends=0):
    print("$", *words, flush=True)
    code = app(["repo", *words], standalone_mode=False)
    assert code == ends, (words, code)

Path("box").mkdir()
Path("box/policy.json").write_text('{"format_version": 1, "require_signature": "tuf"}')
Path("a.bin").write_bytes(b"a")
run("init", "office", "--keys", "keys", "--root-keys", "safe")
shutil.copy("keys/root.json", "box")
run("publish", "office", "a.bin", "--keys", "keys")
run("fetch", "office", "--site", "box", "-o", "got")
assert Path("got/a.bin").read_bytes() == b"a"

shutil.copytree("office", "old")
shutil.copytree("keys", "stolen")
run("rotate", "office", "timestamp", "--keys", "keys", "--root-keys", "safe")
run("fetch", "office", "--site", "box")
run("refresh", "old", "--keys", "stolen")
shutil.copy("office/metadata/2.root.json", "old/metadata")
run("fetch", "old", "--site", "box", ends=1)

shutil.copytree("office", "before")
run("revoke", "office", "a.bin", "--keys", "keys")
run("fetch", "office", "--site", "box")
run("fetch", "office", "a.bin", "--site", "box", ends=1)
run("fetch", "before", "--site", "box", ends=1)
run("show", "office", "--root", "keys/root.json")
run("show", "--site", "box", "--json")

long_ago = datetime.now(timezone.utc) - timedelta(days=500)
Publisher.init("late", "late-keys", clock=lambda: long_ago)
Path("box2").mkdir()
shutil.copy("late-keys/root.json", "box2")
shutil.copy("box/policy.json", "box2")
run("fetch", "late", "--site", "box2", ends=1)
run("refresh", "late", "--keys", "late-keys")
run("fetch", "late", "--site", "box2")
run("forget-time", "--site", "box2")
loaded = {name.partition(".")[0] for name in sys.modules}
print("loaded", sorted(loaded & {"urllib3", "requests", "aiohttp"}))
"""


def test_a_site_is_served_without_a_network(tmp_path: Path) -> None:
    for name in ("home", "trace", "work"):
        (tmp_path / name).mkdir()
    trace = traced(
        [sys.executable, "-c", WAY],
        tmp_path / "trace",
        {"HOME": str(tmp_path / "home")},
        tmp_path / "work",
    )
    assert trace.code == 0, trace.output
    assert trace.network == []
    assert trace.written_outside(tmp_path / "work") == []
    told = [line for line in trace.output.splitlines() if line.startswith("sakedge: ")]
    words = ("was revoked", "does not list 'a.bin'", "older timestamp metadata", "have expired")
    assert [word in line for word, line in zip(words, told, strict=True)] == [True] * 4
    assert "repo refresh" in told[3]
    assert "loaded []" in trace.output
