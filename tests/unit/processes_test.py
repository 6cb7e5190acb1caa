"""Threads, forks and memory: what a student does to its process."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

import sakedge
from sakedge.errors import DigestError
from sakedge.format import StudentFile

ROOT = Path(__file__).parents[2]
MIB = 1 << 20


def _python(code: str, *arguments: object) -> str:
    """Runs code in a Python of its own and returns what it printed."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def _mixed_calls(student: sakedge.Student) -> list[Callable[[], object]]:
    """Calls of every kind, which give arrays that can be compared bit by bit."""
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (h, w, 3), np.uint8) for h, w in ((64, 96), (40, 50), (90, 70))]
    adapters = [None, [], ["sam"], ["dino"]]
    tasks = [["edge"], ["defects", "height"], None]
    calls: list[Callable[[], object]] = [
        lambda i=i, a=a, t=t, f=f: student(i, adapters=a, tasks=t, fit=f)
        for i, a, t, f in itertools.product(images, adapters, tasks, ["letterbox", "tile"])
    ]
    calls.append(lambda: student(images, adapters=[["sam"], [], None], fit="letterbox")[1])
    calls.append(lambda: student(images[0], logits=True))
    return calls


def _values(result: object) -> dict[str, np.ndarray]:
    assert isinstance(result, sakedge.Result)
    return {task: output.values for task, output in result.items()}


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_a_thousand_mixed_calls_from_eight_threads(backend: str, tiny_student: Path) -> None:
    """Identical results to serial, and no growth of memory."""
    with sakedge.load(tiny_student, backend=backend) as student:
        calls = _mixed_calls(student)
        expected = [_values(call()) for call in calls]

        def check(number: int) -> bool:
            values = _values(calls[number % len(calls)]())
            wanted = expected[number % len(calls)]
            return all(np.array_equal(values[task], wanted[task]) for task in wanted)

        process = psutil.Process()
        resident = []
        with ThreadPoolExecutor(8) as pool:
            for _ in range(4):
                assert all(pool.map(check, range(1000)))
                resident.append(process.memory_info().rss)
        # Arenas and buffers grow once, when eight calls first coincide in their largest step; a
        # leak grows with every thousand. One image kept per call would be 18 MiB.
        assert min(np.diff(resident)) < 3 * MIB, resident


FORK = """
import os, sys, warnings
import numpy as np, sakedge
warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 and later warn of fork with threads
student = sakedge.load(sys.argv[1], backend=sys.argv[2])
image = np.zeros((64, 96, 3), np.uint8)
student(image)
child = os.fork()
if child == 0:
    for use in (lambda: student(image), lambda: student.stream([image]),
                lambda: student.adapters.remove("sam"), lambda: student.adapters.active):
        try:
            use()
        except sakedge.errors.ForkError as error:
            print("refused:", error.remedy, flush=True)
    with sakedge.load(sys.argv[1], backend=sys.argv[2]) as own:
        print("own student:", own(image).tasks, flush=True)
    student.close()
    del student
    # Without a student too, a process forked after `import onnxruntime` (1.32) hangs in that
    # library's own handlers at exit; children of multiprocessing leave by _exit as well.
    (os._exit if sys.argv[2] == "onnxruntime" else sys.exit)(0)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print("child:", status, "parent:", len(student(image)))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_a_forked_child_is_told_and_neither_hangs_nor_harms(
    backend: str, tiny_student: Path
) -> None:
    printed = _python(FORK, tiny_student, backend)
    assert printed.count("refused: Load it after the fork") == 4
    assert "own student:" in printed
    assert "child: 0 parent: 5" in printed


def test_spawned_processes_get_a_student_by_pickle(tiny_student: Path) -> None:
    code = """
import sys, multiprocessing
import numpy as np, sakedge

if __name__ == "__main__":
    student = sakedge.load(sys.argv[1], adapters=["sam"], tasks=["edge"], threads=1)
    image = np.zeros((64, 96, 3), np.uint8)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        there = pool.apply(student, (image,))
    print(np.array_equal(there["edge"].values, student(image)["edge"].values), there.adapters)
"""
    assert _python(code, tiny_student).strip() == "True ('sam',)"


@pytest.fixture(scope="module")
def many_adapters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student whose adapters weigh more than all the rest: twelve of 2.7 MiB each."""
    from tools.checkpoint import make_checkpoint

    from sakedge.convert import convert

    folder = tmp_path_factory.mktemp("many")
    checkpoint = make_checkpoint(
        folder,
        width=512,
        blocks=4,
        attention_heads=8,
        teachers=[f"t{i:02d}" for i in range(12)],
        tasks=["edge"],
    )
    convert(*checkpoint, folder / "student.onnx")
    return folder / "student.onnx"


@pytest.mark.slow
def test_adapters_not_asked_for_take_no_memory(many_adapters: Path) -> None:
    """Resident memory after loading, each measured in a process of its own."""
    code = """
import gc, sys, psutil, sakedge
names = [f"t{i:02d}" for i in range(int(sys.argv[2]))]
student = sakedge.load(sys.argv[1], adapters=names, backend="onnxruntime", threads=1)
gc.collect()
print(psutil.Process().memory_info().rss)
"""
    one, twelve = (int(_python(code, many_adapters, count)) for count in (1, 12))
    with StudentFile.open(many_adapters) as file:
        size = sum(4 * t.size for t in file.component("adapters.t00").values())
    assert 0.9 * 11 * size < twelve - one < 1.3 * 11 * size


def test_adapters_and_tasks_not_asked_for_are_not_read(tiny_student: Path, tmp_path: Path) -> None:
    """Their bytes are damaged, which is not detected until they are asked for."""
    data = bytearray(tiny_student.read_bytes())
    with StudentFile.open(tiny_student) as file:
        for component in ("adapters.dino", "routers.height", "heads.height"):
            tensor = max(file.component(component).values(), key=lambda t: t.size)
            at = data.index(tensor.tobytes())
            data[at] ^= 1
    path = tmp_path / "damaged.onnx"
    path.write_bytes(data)
    with sakedge.load(path, adapters=["sam"], tasks=["edge"]) as student:
        assert student(np.zeros((64, 96, 3), np.uint8)).tasks == ("edge",)
    for arguments in ({"tasks": ["edge"]}, {"adapters": ["sam"], "tasks": ["height"]}):
        with pytest.raises(DigestError):
            sakedge.load(path, **arguments)  # type: ignore[arg-type]
