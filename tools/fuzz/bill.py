"""Hostile bills of materials: what is stated of their packages is a valid document, or an error."""

from __future__ import annotations

import json
import random
from pathlib import Path

from tools.fuzz.mutations import dumps, spoil_bytes, spoil_json
from tools.fuzz.targets import Attempt

from sakedge.bundling.vex.bill import read_bill
from sakedge.bundling.vex.document import find, make_vex
from sakedge.bundling.vex.statements import read_statements

_PACKAGES = {"pillow": "12.3.0", "jinja2": "3.1.4", "onnx": "1.23.2", "numpy": "2.4.6"}


def prepare(folder: Path) -> Attempt:
    """Writes a bill of packages that something is stated of, and spoils it."""
    path = folder / "sbom.cdx.json"
    refs = {name: f"pkg:pypi/{name}@{version}" for name, version in _PACKAGES.items()}
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "urn:uuid:11111111-2222-4333-8444-555555555555",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "line-7"}},
        "components": [
            {"name": name, "version": version, "purl": refs[name], "bom-ref": refs[name]}
            for name, version in _PACKAGES.items()
        ],
    }
    good = json.dumps(bill)
    statements = read_statements()

    def attempt(rng: random.Random) -> None:
        if rng.random() < 0.7:
            fields = json.loads(good)
            spoil_json(rng, fields)
            path.write_bytes(dumps(fields).encode(errors="surrogatepass"))
        else:
            path.write_bytes(spoil_bytes(rng, good.encode()))
        found = read_bill(path)
        stated = json.loads(make_vex(found, statements)).get("vulnerabilities", [])
        expected = [one for each in find(found, statements) for one in each.statement.advisories]
        assert sorted(each["id"] for each in stated) == sorted(expected)

    return attempt
