"""A real bundle, from making it to its removal, in a fresh system without a network."""

from __future__ import annotations

import shutil
from pathlib import Path

from tools.check_bundle.roots import ROOTS, Root

from sakedge.assets import demo_student
from sakedge.bundling.contents import gather
from sakedge.bundling.make import Ask, Made, make_bundle
from sakedge.bundling.targets import Target, read_targets
from sakedge.format import StudentFile, extract_part, write_pack
from sakedge.trust.describing import predicate
from sakedge.trust.envelope import sign_file
from sakedge.trust.keys import PrivateKey

SAKEDGE = "/opt/sakedge/bin/sakedge"
_POLICY = '{"format_version": 1, "require_signature": "dsse", "audit": {}}'


def accept(
    python: str, machine: str, wheels: Path, folder: Path | None, extras: tuple[str, ...]
) -> str:
    """Makes a bundle with an adapter, installs it, runs it, upgrades, goes back, removes it.

    Args:
        python: Version of the Python.
        machine: The processor.
        wheels: Of sakedge.
        folder: A fresh root that is there already; None makes one.
        extras: Of sakedge.

    Returns:
        What was done, in a line.

    Raises:
        CalledProcessError, AssertionError: Something is not as promised.
    """
    root = Root(python, machine, folder)
    work = ROOTS / f"bundles-{machine}-{python}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    name = f"linux-{machine}-py{python}"
    target = read_targets()[name].model_copy(update={"extras": extras})
    key = PrivateKey.generate()
    key.public.write(work / "mori.pub")
    made = _make(work / "one", name, target, wheels, key, work)
    lock = work / "one" / "requirements.txt"
    newer = _make(work / "two", name, target, wheels, key, work, lock=lock)
    assert newer.packages == made.packages
    root.put(work / "mori.pub", "root/mori.pub")
    root.put(work / "one", "media/usb/one")
    root.put(work / "two", "media/usb/two")

    _refuse_a_changed_byte(root)
    root.run("sh", "/media/usb/one/install.sh", "--key", "/root/mori.pub")
    root.run(SAKEDGE, "demo", "--output", "/tmp/out")
    assert len(list((root.folder / "tmp/out").iterdir())) > 8
    root.run(SAKEDGE, "bundle", "verify", "/opt/sakedge")
    first = _current(root)

    # From here on under a policy: signatures are required, and what is done is recorded.
    root.put(work / "mori.pub", "etc/sakedge/keys/mori.pub")
    (root.folder / "etc/sakedge/policy.json").write_text(_POLICY)
    root.run(SAKEDGE, "adapter", "activate", "texture", "1")
    root.run("/opt/sakedge/current/bundle/install.sh", "/media/usb/two")
    assert _current(root) != first
    root.run("sh", "/opt/sakedge/current/bundle/install.sh", "--rollback")
    assert _current(root) == first
    root.run("sh", "/opt/sakedge/current/bundle/install.sh", "--uninstall")
    assert not (root.folder / "opt/sakedge").exists()
    kept = ("var/lib/sakedge/students", "var/lib/sakedge/store/active.json", "etc/sakedge/audit")
    assert all((root.folder / each).exists() for each in kept)
    root.run("sh", "/media/usb/two/install.sh")
    assert "texture" in root.run(SAKEDGE, "adapter", "list")
    log = root.run(SAKEDGE, "audit", "verify")
    root.remove()
    return (
        f"{name}: {made.files} files, {made.size >> 20} MiB, {len(made.packages)} packages; "
        f"installed, ran, upgraded, rolled back, removed, installed again; {log.splitlines()[0]}"
    )


def _make(
    output: Path,
    name: str,
    target: Target,
    wheels: Path,
    key: PrivateKey,
    work: Path,
    *,
    lock: Path | None = None,
) -> Made:
    """A bundle with a signed adapter; with a lock there is a signed configuration in it too."""
    student, pack = work / "student.onnx", work / "texture.safetensors"
    if not student.exists():
        shutil.copyfile(demo_student(), student)
        with StudentFile.open(student) as file:
            part = extract_part(file, "adapters.texture")
        write_pack(pack, part.manifest.model_copy(update={"version": "1"}), part.tensors)
        for path in (student, pack):
            sign_file(path, key, predicate=predicate(path))
    (work / "line.json").write_text("{}\n")
    config = [] if lock is None else [work / "line.json"]
    ask = Ask(name, target, wheels, lock=lock, keys=(key,))
    return make_bundle(gather(student, [pack], config), output, ask, lambda step, share: None)


def _refuse_a_changed_byte(root: Root) -> None:
    """Of each kind of file, in the root: refused by name, and nothing is installed."""
    bundle = root.folder / "media/usb/one"
    wheel = next((bundle / "wheels").glob("numpy-*"))
    for path in (wheel, bundle / "install.sh", bundle / "folder.dsse.json", bundle / "SHA256SUMS"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        said = root.run("sh", "-c", "sh /media/usb/one/install.sh && exit 9; exit 0")
        assert path.name in said
        assert not (root.folder / "opt/sakedge").exists()
        content[len(content) // 2] ^= 1
        path.write_bytes(content)


def _current(root: Root) -> str:
    return (root.folder / "opt/sakedge/current").readlink().name
