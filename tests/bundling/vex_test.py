"""VEX: what is stated of known weaknesses, and the document and table that are made of it."""

from __future__ import annotations

import json
import re
import shutil
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from tests.support.command_line import Run, assert_refused
from tools.check_bundle.standins import HERE, TARGET, make_program, make_wheel, rewheel
from typer.testing import CliRunner, Result

from sakedge.bundling.archive import write_archive
from sakedge.bundling.contents import gather
from sakedge.bundling.installer.listing import read_listing
from sakedge.bundling.lock import write_lock
from sakedge.bundling.make import Ask, make_bundle
from sakedge.bundling.resolving import lock_of
from sakedge.bundling.vex.bill import parse_bill, read_bill
from sakedge.bundling.vex.document import find, make_vex
from sakedge.bundling.vex.statements import FOLDER, Package, read_statements
from sakedge.bundling.wheel import wheels_in
from sakedge.cli.app import build
from sakedge.errors import BundleError, SakedgeError, StorageError

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
SERIAL = "11111111-2222-4333-8444-555555555555"
STATEMENT: dict[str, Any] = {
    "affected": ["<2", ">=3,<3.1"],
    "state": "not_affected",
    "justification": "code_not_reachable",
    "detail": "It is not called.",
    "advisories": {"CVE-2026-1234": "https://example.org/1"},
}


@pytest.fixture
def run() -> Run:
    runner, app = CliRunner(), build()

    def invoke(*arguments: object) -> Result:
        result = runner.invoke(app, ["bundle", "vex", *map(str, arguments)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result

    return invoke


def bill(**packages: str) -> dict[str, Any]:
    """A bill of these packages by version, as it lies in a file."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{SERIAL}",
        "version": 2,
        "metadata": {"component": {"type": "application", "name": "line-7"}},
        "components": [
            {"type": "library", "name": name, "version": version, "purl": ref, "bom-ref": ref}
            for name, version in packages.items()
            for ref in [f"pkg:pypi/{name}@{version}"]
        ],
    }


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def package(**changes: object) -> Package:
    fields = {"format_version": 1, "package": "a", "reviewed": "2026-11-26"}
    return Package.model_validate({**fields, "statements": [{**STATEMENT, **changes}]})


def parsed(fields: object) -> Any:
    return parse_bill(json.dumps(fields).encode(), "bill.json")


def assert_valid(document: bytes) -> None:
    """By CycloneDX's own schema, strictly."""
    from cyclonedx.exception import MissingOptionalDependencyException
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    try:
        found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(document.decode())
    except MissingOptionalDependencyException:
        pytest.skip("cyclonedx-python-lib has no validator here")
    assert found is None, str(found)[:500]


@pytest.fixture(scope="module")
def with_pillow(tmp_path_factory: pytest.TempPathFactory, tiny_student: Path) -> Path:
    """A bundle with a Pillow that weaknesses are known of. Not to be written to."""
    scratch = tmp_path_factory.mktemp("vex")
    wheels = scratch / "wheels"
    wheels.mkdir()
    make_program(wheels, "1.0")
    make_wheel(wheels, "pillow", "12.3.0", {"PIL/__init__.py": b""})
    rewheel("pip", wheels)
    lock = scratch / "lock.txt"
    lock.write_bytes(write_lock(TARGET, lock_of(wheels_in(wheels), HERE)))
    ask = Ask(TARGET, HERE, wheels, lock=lock)
    for name in ("bundle", "again"):
        make_bundle(gather(tiny_student), scratch / name, ask, lambda step, share: None)
    return scratch / "bundle"


def depended_on() -> set[str]:
    """The packages that sakedge needs with all extras, here, and that those need."""
    found: set[str] = set()
    wanted = ["sakedge[all]"]
    seen: set[str] = set()
    while wanted:
        each = Requirement(wanted.pop())
        for extra in ("", *each.extras):
            if (key := f"{canonicalize_name(each.name)}[{extra}]") in seen:
                continue
            seen.add(key)
            found.add(canonicalize_name(each.name))
            try:
                needs = requires(each.name) or []
            except PackageNotFoundError:
                continue
            markers = [(row, Requirement(row).marker) for row in needs]
            wanted += [row for row, m in markers if m is None or m.evaluate({"extra": extra})]
    return found


def test_every_statement_is_about_a_package_of_ours_and_says_each_advisory_once() -> None:
    known = read_statements()
    assert set(known) == {path.stem for path in FOLDER.glob("*.json")}
    assert set(known) <= {*depended_on(), "pip"}
    for each in known.values():
        advisories = [one for said in each.statements for one in said.advisories]
        assert len(advisories) == len(set(advisories)), each.package


def test_the_least_version_that_is_asked_for_has_what_matters_mended() -> None:
    """Of a package with several rows, for the Pythons that its last versions still run in."""
    rows = re.findall(r'"([a-z0-9-]+)(?:\[\w+\])?>=([0-9.]+)[;"]', PROJECT.read_text())
    least: dict[str, Version] = {}
    for name, version in rows:
        least[name] = max(Version(version), least.get(name, Version("0")))
    assert {"pillow", "onnx", "cryptography", "opencv-python-headless"} <= set(least)
    for name in least.keys() & (known := read_statements()).keys():
        for said in known[name].statements:
            is_allowed = said.state == "exploitable" and said.concerns(str(least[name]))
            assert not is_allowed, (name, said.detail)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"affected": ["before 2"]}, "no specifier"),
        ({"affected": []}, "affected"),
        ({"justification": None}, "justification"),
        ({"state": "exploitable"}, "justification"),
        ({"state": "exploitable", "justification": None}, "recommendation"),
        ({"state": "in_triage"}, "justification"),
        ({"state": "unaffected"}, "state"),
        ({"advisories": {}}, "advisories"),
        ({"advisories": {"CVE-1": "https://example.org"}}, "advisories"),
        ({"advisories": {"CVE-2026-1234": "javascript:x"}}, "advisories"),
        ({"severity": "low"}, "severity"),
    ],
)
def test_a_malformed_statement_is_refused(
    changes: dict[str, object], problem: str, tmp_path: Path
) -> None:
    fields = {"format_version": 1, "package": "a", "reviewed": "2026-11-26"}
    write(tmp_path / "a.json", {**fields, "statements": [{**STATEMENT, **changes}]})
    with pytest.raises(BundleError, match=problem):
        read_statements(tmp_path)


def test_a_statement_concerns_any_of_its_ranges() -> None:
    said = package().statements[0]
    concerned = [v for v in ("1.9", "2", "3.0", "3.1", "2.0rc1", "3.1.dev1") if said.concerns(v)]
    assert concerned == ["1.9", "3.0"]
    with pytest.raises(BundleError, match="no version"):
        said.concerns("newest")


def test_a_document_is_valid_refers_to_the_bill_and_says_nothing_of_other_packages() -> None:
    listed = parsed(bill(a="1.0+local", b="1.0"))
    document = make_vex(listed, {"a": package(), "c": package()})
    assert_valid(document)
    found = json.loads(document)
    (only,) = found["vulnerabilities"]
    assert only["id"] == "CVE-2026-1234"
    assert only["affects"][0]["ref"] == f"urn:cdx:{SERIAL}/2#pkg:pypi/a@1.0+local"
    assert only["affects"][0]["versions"] == [{"version": "1.0+local", "status": "unaffected"}]
    assert only["analysis"]["state"] == "not_affected"
    assert only["analysis"]["justification"] == "code_not_reachable"
    assert only["analysis"]["detail"] == "It is not called."
    (link,) = found["metadata"]["component"]["externalReferences"]
    assert link == {"type": "bom", "url": f"urn:cdx:{SERIAL}/2"}
    assert found["metadata"]["timestamp"].startswith("2026-11-26")


def test_the_document_of_a_bill_without_known_weaknesses_is_valid_too() -> None:
    document = make_vex(parsed(bill(b="1.0")), read_statements())
    assert_valid(document)
    assert "vulnerabilities" not in json.loads(document)


def test_a_document_has_another_serial_number_where_another_thing_is_stated() -> None:
    listed = parsed(bill(a="1"))
    first, same = (make_vex(listed, {"a": package()}) for _ in range(2))
    other = make_vex(listed, {"a": package(detail="It is called with a constant.")})
    assert first == same
    assert json.loads(first)["serialNumber"] != json.loads(other)["serialNumber"]


def test_a_bundle_brings_the_statements_about_what_is_in_it(with_pillow: Path) -> None:
    content = (with_pillow / "vex.cdx.json").read_bytes()
    assert_valid(content)
    assert "vex.cdx.json" in read_listing(with_pillow / "SHA256SUMS")
    assert "vex.cdx.json" in (with_pillow / "README.txt").read_text()
    sbom = json.loads((with_pillow / "sbom.cdx.json").read_text())
    address = f"urn:cdx:{sbom['serialNumber'].removeprefix('urn:uuid:')}/{sbom['version']}#"
    refs = {address + each["bom-ref"] for each in sbom["components"]}
    stated = json.loads(content)["vulnerabilities"]
    assert {target["ref"] for each in stated for target in each["affects"]} <= refs
    expected = {
        advisory
        for said in read_statements()["pillow"].statements
        if said.concerns("12.3.0")
        for advisory in said.advisories
    }
    assert expected
    assert {each["id"] for each in stated if "pillow" in each["bom-ref"]} == expected
    again = (with_pillow.parent / "again" / "vex.cdx.json").read_bytes()
    assert again == content


def test_the_verb_states_the_same_of_a_folder_a_file_an_installation_and_a_bill(
    run: Run, with_pillow: Path, tmp_path: Path
) -> None:
    write_archive(with_pillow, "bundle", tmp_path / "bundle.tar")
    own = tmp_path / "opt" / "versions" / "1" / "bundle"
    own.mkdir(parents=True)
    shutil.copyfile(with_pillow / "sbom.cdx.json", own / "sbom.cdx.json")
    (tmp_path / "opt" / "current").symlink_to("versions/1")
    for what in (
        with_pillow,
        with_pillow / "sbom.cdx.json",
        tmp_path / "bundle.tar",
        tmp_path / "opt",
    ):
        ended = run(what, "-o", tmp_path / "out.json", "--json")
        assert ended.exit_code == 2, ended.stderr
        written = (tmp_path / "out.json").read_bytes()
        assert written == (with_pillow / "vex.cdx.json").read_bytes()
        assert json.loads(ended.stdout) == json.loads(written)


def test_the_code_is_2_where_something_is_to_be_done_or_decided_and_the_table_says_why(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "bill.json"
    ended = run(write(path, bill(pillow="12.3.0")))
    assert ended.exit_code == 2
    assert "exploitable" in ended.stdout
    assert ended.stdout.index("exploitable") < ended.stdout.index("not affected")
    assert run(write(path, bill(onnxruntime="1.23.2"))).exit_code == 2
    ended = run(write(path, bill(jinja2="3.1.5")))
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert "CVE-2025-27516" in ended.stdout
    ended = run(write(path, bill(jinja2="3.1.6")))
    assert ended.exit_code == 0
    assert "no known weakness" in ended.stdout


def test_names_of_a_bill_are_compared_normalised_and_shown_without_control_characters(
    run: Run, tmp_path: Path
) -> None:
    fields = bill(JinJa2="3.1.5")
    fields["metadata"]["component"]["name"] = "x\x1b[2J"
    ended = run(write(tmp_path / "bill.json", fields))
    assert "jinja2 3.1.5" in ended.stdout
    assert "\x1b[2J" not in ended.stdout


def test_what_is_no_bill_is_refused_by_name(run: Run, tmp_path: Path) -> None:
    assert_refused(run(tmp_path / "absent.json"), 1, "absent.json")
    assert_refused(run(tmp_path), 1, "has no sbom.cdx.json", "prefix")
    path = write(tmp_path / "bill.json", bill(pillow="13"))
    assert_refused(run(path, "-o", path), 64, "overwrite")
    assert_refused(run(path, "-o", tmp_path), 1, "a folder")
    path.with_suffix(".tar").write_bytes(b"x")
    assert_refused(run(path.with_suffix(".tar")), 1, "no bundle in one file")
    (tmp_path / "opt" / "versions").mkdir(parents=True)
    assert_refused(run(tmp_path / "opt"), 1, "has no sbom.cdx.json")


@pytest.mark.parametrize(
    "changes",
    [
        {"bomFormat": "SPDX"},
        {"serialNumber": None},
        {"serialNumber": "urn:uuid:../x"},
        {"version": 0},
        {"version": "1" * 100},
        {"metadata": {}},
        {"components": {"a": 1}},
        {"components": [[]]},
        {"components": [{"name": 3}]},
        {"components": [{"name": "x" * 5000}]},
        {"components": 2 * bill(pillow="13")["components"]},
    ],
)
def test_a_spoilt_bill_is_refused(changes: dict[str, object], tmp_path: Path) -> None:
    path = write(tmp_path / "bill.json", {**bill(pillow="13"), **changes})
    with pytest.raises(BundleError, match=r"bill\.json is no bill of materials"):
        read_bill(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"a": NaN}'])
def test_what_is_no_json_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bill.json"
    path.write_bytes(content)
    with pytest.raises(BundleError, match="no bill"):
        read_bill(path)


def test_a_version_that_cannot_be_compared_is_no_all_clear() -> None:
    listed = parsed(bill(pillow="newest"))
    with pytest.raises(BundleError, match="newest"):
        find(listed, read_statements())


def test_components_that_are_no_packages_of_the_index_are_passed_over() -> None:
    fields = bill(a="1")
    fields["components"] += [
        {"type": "file", "name": "a"},
        {"type": "library", "name": "a", "version": "1", "purl": "pkg:npm/a@1", "bom-ref": "b"},
    ]
    assert [each.link for each in parsed(fields).packages] == [f"urn:cdx:{SERIAL}/2#pkg:pypi/a@1"]


def test_a_file_that_changes_or_is_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bill.json").write_bytes(b" " * ((1 << 24) + 1))
    with pytest.raises(SakedgeError, match="too large"):
        read_bill(tmp_path / "bill.json")
    (tmp_path / "fifo").symlink_to("/dev/zero")
    with pytest.raises(StorageError):
        read_bill(tmp_path / "fifo")
