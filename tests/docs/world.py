"""A small world in which the examples of the pages run: the files that they name, in place."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.docs.blocks import ROOT, Block, words
from tests.support.datasets import write_folder
from tests.support.videos import write_video
from typer.testing import CliRunner

from sakedge.adapters.following import Following
from sakedge.format import StudentFile, extract_part, write_pack
from sakedge.sources import Stream
from sakedge.student import Student
from sakedge.trust.keys import PrivateKey

PLAIN = {"mkdir", "cp", "rm", "echo", "sync", "sha256sum", "cat", "ls"}
"""Commands that are the system's, and run."""
_SITE = """\
mkdir -p /etc/sakedge
cp policy.json /etc/sakedge/policy.json"""
PREPARED = {
    "README.md": """\
rm -r labelled
sakedge demo --copy try
cp -r try/student.onnx try/part.jpg try/parts try/boards try/pcb-2026-11.safetensors .""",
    "adapters.md": "sakedge keys sign /opt/line/student.onnx --key keys/mori.key",
    "audit.md": f"""\
{_SITE}
cp keys/mori.key box7.key
sakedge adapter init
sakedge adapter add sam-7.safetensors""",
    "canary.md": "sakedge adapter init --store adapters",
    # Where a student of random weights sees edges is noise, of which int8 makes other noise.
    "cli.md": """\
rm -r labelled/edge
sakedge adapter init --store adapters""",
    "quantize.md": "rm -r labelled/edge",
    "service.md": """\
mkdir -p /etc/sakedge
cp line.json /etc/sakedge/line.json""",
    "store.md": "sakedge adapter init",
    "updates.md": "sakedge adapter init",
}
"""What a page takes for granted, as commands."""
_PLACES = re.compile(
    r"(?<![\w.])/(?=(?:etc/sakedge|var/(?:lib|cache)/sakedge|media|mnt|opt/line)\b)"
)


def write_pack_of(student: Path, path: Path, version: str, name: str = "sam") -> None:
    """Writes a pack of one of the student's own adapters, a little different in each version."""
    with StudentFile.open(student) as file:
        pack = extract_part(file, "adapters.sam")
    tensors = dict(pack.tensors)
    changed = next(iter(sorted(tensors)))
    tensors[changed] = tensors[changed] * (1 + 1e-6 * len(version))
    manifest = pack.manifest.model_copy(update={"version": version, "name": name})
    write_pack(path, manifest, tensors)


def furnish(folder: Path, student: Path, checkpoint: tuple[Path, Path], images: int) -> None:
    """Writes what the pages name; quantisation wants 48 images, three sets of sixteen."""
    shutil.copy(student, folder / "student.onnx")
    shutil.copy(checkpoint[0], folder / "checkpoint.pth")
    shutil.copy(checkpoint[1], folder / "config.yml")
    Image.fromarray(np.full((60, 90, 3), 100, np.uint8)).save(folder / "part.png")
    rng = np.random.default_rng(0)
    for name, count in (("images", images), ("parts", 3)):
        (folder / name).mkdir()
        for i in range(count):
            coarse = Image.fromarray(rng.integers(0, 256, (4, 6, 3), np.uint8))
            coarse.resize((96, 64)).save(folder / name / f"{i}.png")
    for name in ("labelled", "golden"):
        write_folder(folder / name, 32 if images > 32 else 16)
    write_video(folder / "line.avi", 3)
    for version in ("1", "2", "7", "2026-11", "2027"):
        write_pack_of(student, folder / f"sam-{version}.safetensors", version)
    (folder / "keys").mkdir()
    key = PrivateKey.generate()
    key.write(folder / "keys" / "mori.key")
    key.public.write(folder / "mori.pub")
    for place in (
        "media/usb",
        "media/safe",
        "media/stick",
        "mnt/qa/box7",
        "opt/line",
        "var/cache",
        "etc",
    ):
        (folder / "root" / place).mkdir(parents=True)
    shutil.copy(student, folder / "root" / "opt" / "line" / "student.onnx")
    usb = folder / "root" / "media" / "usb"
    shutil.copy(folder / "sam-2026-11.safetensors", usb)
    shutil.copytree(folder / "golden", usb / "golden")
    policy = '{"format_version": 1, "audit": {}}'
    (folder / "policy.json").write_text(policy)
    (folder / "line.json").write_text('{"student": "/opt/student.onnx", "source": "parts"}')


MakeWorld = Callable[..., "World"]
"""Makes the world of a page, by its name, and changes into it."""


class World:
    """A copy of it, for one page.

    Args:
        folder: Where it lies; the current one.
        run: The command line in this process.
    """

    def __init__(self, folder: Path, app: Any) -> None:
        self._folder = folder
        self._app, self._runner = app, CliRunner()
        self._names: dict[str, object] = {}

    def run(self, block: Block) -> None:
        """Runs a block; fails with its place."""
        if block.language == "python":
            code = self._here(block.text)
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(code, block.place, "exec"), self._names)
            return
        expected = int(block.reason.partition(":")[0]) if block.mark == "exit code" else 0
        for command, printed_lines in block.commands():
            code, output = self._command(words(self._here(command)))
            assert code == expected, f"{block.place}: `{command}` ended with {code}:\n{output}"
            for line in printed_lines:
                pattern = ".*".join(map(re.escape, self._here(line).strip().split("…")))
                assert any(re.search(pattern, each) for each in output.splitlines()), (
                    f"{block.place}: `{command}` does not print\n{line}\nbut\n{output}"
                )

    def close(self) -> None:
        """Closes what the page has opened: streams first, students last."""
        opened = [each for each in self._names.values() if not isinstance(each, type)]
        for each in sorted(opened, key=lambda each: isinstance(each, Student)):
            if isinstance(each, (Student, Stream, Following)):
                each.close()

    def _here(self, text: str) -> str:
        """The text with its places and its camera in this world."""
        text = _PLACES.sub(f"{self._folder}/root/", text).replace("../tools/", f"{ROOT}/tools/")
        return text.replace("rtsp://cam3/main", str(self._folder / "line.avi"))

    def _command(self, given: list[str]) -> tuple[int, str]:
        if given[:4] == ["PYTHONPATH=..", "python", "-m", "tools.demo_student"]:
            command = [sys.executable, *given[2:]]
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            drawn = subprocess.run(command, capture_output=True, text=True, env=environment)
            return drawn.returncode, drawn.stdout + drawn.stderr
        to = None
        if len(given) > 2 and given[-2] == ">":
            given, to = given[:-2], Path(given[-1])
        if given[0] == "sakedge":
            ran = self._runner.invoke(self._app, given[1:])
            assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
            code, output, error = ran.exit_code, ran.stdout, ran.stderr
        else:
            steps = [[]]  # type: list[list[str]]
            for word in given:
                steps[-1].append(word) if word != "&&" else steps.append([])
            code, output, error = 0, "", ""
            for step in steps:
                assert step[0] in PLAIN, f"{step[0]} cannot run here: mark the block"
                done = subprocess.run(step, capture_output=True, text=True)
                code, output, error = done.returncode, output + done.stdout, error + done.stderr
        if to is not None:
            to.write_text(output)
        return code, output + error


@pytest.fixture(scope="session")
def furnished(
    tmp_path_factory: pytest.TempPathFactory,
    tiny_student: Path,
    tiny_checkpoint: tuple[Path, Path],
    request: pytest.FixtureRequest,
) -> Path:
    folder = tmp_path_factory.mktemp("world")
    images = 48 if request.config.getoption("--long-examples") else 5
    furnish(folder, tiny_student, tiny_checkpoint, images)
    return folder


@pytest.fixture
def world(furnished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeWorld]:
    from sakedge import store
    from sakedge.cli.app import build
    from sakedge.site import site
    from sakedge.store import store as stores

    folder, worlds = tmp_path / "world", list[World]()

    def make(page: str = "") -> World:
        shutil.copytree(furnished, folder)
        monkeypatch.chdir(folder)
        monkeypatch.setattr(site, "DEFAULT", folder / "root" / "etc" / "sakedge")
        for module in (store, stores):
            monkeypatch.setattr(module, "FOLDER", folder / "root" / "var/lib/sakedge/store")
        made = World(folder, build())
        worlds.append(made)
        prepared = PREPARED.get(page, "")
        made.run(Block(folder, 0, "sh", prepared, "", ""))
        return made

    yield make
    for each in worlds:
        each.close()
