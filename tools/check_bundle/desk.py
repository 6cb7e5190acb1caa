"""Bundles for machines that are not here: resolved, locked, verified, and made twice."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from tools.check_bundle.roots import ROOTS

from sakedge.assets import demo_student
from sakedge.bundling.contents import gather
from sakedge.bundling.installer.checking import check_bundle
from sakedge.bundling.installer.keys import Trust
from sakedge.bundling.make import Ask, make_bundle
from sakedge.bundling.targets import find_target, read_targets
from sakedge.trust.keys import PrivateKey


def resolve_all(names: Sequence[str], wheels: Path, cuda: bool | None) -> str:
    """Makes a bundle for each target, and again from its lock: the same bytes.

    Args:
        names: Of the targets.
        wheels: Of sakedge.
        cuda: Whether those with CUDA are taken; None is as the target says.

    Returns:
        What was made, in a line.

    Raises:
        AssertionError, SakedgeError: Something is not as promised.
    """
    key, said = PrivateKey.generate(), []
    contents, targets = gather(demo_student()), read_targets()
    for name in names:
        target = find_target(name, targets)
        folder = ROOTS / "desk" / name
        shutil.rmtree(folder, ignore_errors=True)
        ask = Ask(name, target, wheels, cuda=cuda, keys=(key,))
        made = make_bundle(contents, folder / "one", ask, lambda step, share: None)
        lock = folder / "one" / "requirements.txt"
        ask = Ask(name, target, wheels, lock=lock, keys=(key,))
        again = make_bundle(contents, folder / "two", ask, lambda step, share: None)
        assert again.digest == made.digest, "made twice of one lock, and not the same"
        trust = Trust({key.keyid: key.public.raw}, required=True)
        found = check_bundle(folder / "two", trust)
        assert not found.faults, found.faults
        pinned = {k: made.packages[k] for k in ("onnxruntime", "openvino", "numpy")}
        print(f"{name}: {made.size >> 20} MiB, {made.packages}", flush=True)
        said.append(f"{name} {' '.join(f'{k} {v}' for k, v in pinned.items())}")
        shutil.rmtree(folder)
    return f"twice the same, and verified: {'; '.join(said)}"
