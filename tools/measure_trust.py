"""What trust and the audit log cost: `python -m tools.measure_trust`, for the pages on both.

Signs, encrypts, checks and opens a pack of so many megabytes; appends entries to a log in
`--folder`, with and without waiting for its disk, and verifies a longer one. Appending is timed by
the clock, the rest by the processor, on which other jobs tell less.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sakedge.audit.log import AuditLog
from sakedge.audit.settings import AuditSettings
from sakedge.audit.verify import verify
from sakedge.runtime.machine import cpu_model
from sakedge.trust.encryption import decrypt, encrypt_age, encrypt_gcm
from sakedge.trust.envelope import envelope_path, sign_file, verify_content
from sakedge.trust.keyring import Keyring
from sakedge.trust.keys import PrivateKey
from sakedge.trust.secret_keys import new_age, new_gcm, read_secrets

DETAIL = {"version": "2026-11", "teacher": "sam", "reason": "new lamp on line 3", "ms": 29}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.measure_trust", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=30, help="of the pack")
    parser.add_argument("--entries", type=int, default=500, help="appended to a log")
    parser.add_argument("--verified", type=int, default=5000, help="entries of the log verified")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="on the disk to measure")
    given = parser.parse_args()
    print(f"{cpu_model()}, load {os.getloadavg()[0]:.1f}; least to most of {given.repeat} runs")
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        _pack(Path(folder, "pack.safetensors"), given.megabytes, given.repeat)
        _log(Path(folder), given.entries, given.verified, given.repeat)


def _pack(path: Path, megabytes: int, repeat: int) -> None:
    content, key = os.urandom(megabytes * 10**6), PrivateKey.generate()
    path.write_bytes(content)
    sign_file(path, key, predicate={})
    envelope, trusted = envelope_path(path).read_bytes(), Keyring.of(key.public)
    (identity, recipient), text = new_age(), new_gcm()
    secret = read_secrets(text.encode).gcm[0]
    ways: dict[str, Callable[[], object]] = {
        "checking the signature": lambda: verify_content(content, path.name, envelope, trusted),
    }
    for name, sealed, opener in (
        ("AES", encrypt_gcm(content, secret), text),
        ("age", encrypt_age(content, [recipient]), identity),
    ):
        ways[f"opening {name}"] = _opening(sealed, path.name, opener)
    for what, way in ways.items():
        print(f"a pack of {megabytes} MB, {what}: {_span(way, repeat, 1000)} ms")


def _opening(sealed: bytes, name: str, key: str) -> Callable[[], object]:
    return lambda: decrypt(sealed, name, key.encode)


def _log(folder: Path, entries: int, verified: int, repeat: int) -> None:
    for sync in ("always", "never"):
        medians, size = [], 0
        for number in range(repeat):
            log = AuditLog.open(folder / f"{sync}-{number}", AuditSettings(sync=sync))
            times = [_append(log) for _ in range(entries)]
            medians.append(1000 * statistics.median(times))
            size = sum(path.stat().st_size for path in log.folder.glob("*.jsonl")) // entries
        span = f"{min(medians):.2f} to {max(medians):.2f}"
        print(f"sync {sync}: an entry of {size} bytes, median of {entries}: {span} ms")
    long = AuditLog.open(folder / "long", AuditSettings(sync="never"))
    for _ in range(verified):
        _append(long)
    span = _span(lambda: verify(long.folder), repeat, 1e6 / verified)
    print(f"verifying {verified} entries: {span} µs each")


def _append(log: AuditLog) -> float:
    began = time.perf_counter()
    log.append("swap", subject="adapters.sam", old="a" * 64, new="b" * 64, detail=DETAIL)
    return time.perf_counter() - began


def _span(run: Callable[[], object], repeat: int, scale: float) -> str:
    times = []
    for _ in range(repeat):
        began = time.process_time()
        run()
        times.append(scale * (time.process_time() - began))
    return f"{min(times):.0f} to {max(times):.0f}"


if __name__ == "__main__":
    main()
