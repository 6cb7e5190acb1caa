"""Nothing leaves the box, and nothing is written outside the cache and what was asked for.

Every way in is run as a user without settings would, in a network namespace without a device and
under a trace of the system calls that concern the network or change a file.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.trace import Trace, traced
from tools.demo_student.folder import write_scenes

import sakedge
from sakedge.backends import registry

ASSETS = Path(sakedge.__file__).parent / "assets"
STUDENT = str(ASSETS / "demo-student.onnx")
PART = str(ASSETS / "samples" / "part-1.jpg")
CACHE = Path(".cache", "sakedge")
LOOKS_UP_AFTER = 35
"""Seconds. ONNX Runtime's telemetry waits some thirty before it first looks up a host."""

Run = Callable[..., Trace]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def run(tmp_path: Path, home: Path) -> Run:
    """Runs Python with arguments, in a trace, with a home folder that is empty at first."""
    (tmp_path / "trace").mkdir()

    def python(*arguments: str) -> Trace:
        return traced([sys.executable, *arguments], tmp_path / "trace", {"HOME": str(home)})

    return python


def test_the_trace_sees_what_must_not_happen(run: Run, tmp_path: Path) -> None:
    code = (
        "import os, socket, threading; from pathlib import Path\n"
        f"folder = Path({str(tmp_path)!r}); (folder / 'made').mkdir(); os.chdir(folder / 'made')\n"
        "Path('file').write_text(''); os.replace(folder / 'made' / 'file', folder / 'moved')\n"
        "def look():\n"
        "    try: socket.getaddrinfo('example.org', 443)\n"
        "    except OSError: pass\n"
        "thread = threading.Thread(target=look); thread.start(); thread.join()\n"
    )
    trace = run("-c", code)
    assert trace.code == 0, trace.output
    assert trace.network
    made = [str(tmp_path / name) for name in ("made", "made/file", "moved")]
    assert trace.written_outside(tmp_path / "home") == made
    assert trace.written_outside(tmp_path) == []


@pytest.mark.parametrize("backend", registry.BACKENDS)
def test_predict_writes_its_results_and_the_cache(
    backend: str, run: Run, home: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    trace = run("-m", "sakedge", "predict", STUDENT, PART, "-o", str(out), "--backend", backend)
    assert trace.code == 0, trace.output
    assert trace.network == []
    assert trace.written_outside(out, home / CACHE) in ([], [str(home / ".cache")])
    assert len(list(out.iterdir())) > 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("doctor",),
        ("inspect", STUDENT),
        ("bundle", "targets"),
        ("verify", STUDENT, "--precision", "int8"),
        ("benchmark", STUDENT, "--iterations", "1", "--warmup", "0", "--rounds", "1"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_the_other_verbs_write_the_cache_at_most(
    arguments: tuple[str, ...], run: Run, home: Path
) -> None:
    trace = run("-m", "sakedge", *arguments)
    assert trace.code in (0, 2), trace.output
    assert trace.network == []
    assert trace.written_outside(home / CACHE) in ([], [str(home / ".cache")])


def test_stating_known_weaknesses_asks_nobody(run: Run, tmp_path: Path) -> None:
    bill = tmp_path / "sbom.cdx.json"
    bill.write_text(
        '{"bomFormat": "CycloneDX",'
        ' "serialNumber": "urn:uuid:11111111-2222-4333-8444-555555555555",'
        ' "metadata": {"component": {"name": "line-7"}}, "components": [{"name": "pillow",'
        ' "version": "12.3.0", "purl": "pkg:pypi/pillow@12.3.0", "bom-ref": "a"}]}'
    )
    trace = run("-m", "sakedge", "bundle", "vex", str(bill))
    assert trace.code == 2, trace.output
    assert "CVE-2026-112395" in trace.output
    assert trace.network == []
    assert trace.written_outside() == []


def test_verify_of_int8_weights_in_floats_writes_a_temporary_folder_that_it_removes(
    run: Run, home: Path
) -> None:
    trace = run("-m", "sakedge", "verify", STUDENT)
    assert trace.code == 0, trace.output
    assert trace.network == []
    for path in map(Path, trace.written_outside(home / CACHE)):
        assert path == home / ".cache" or not path.exists()


def test_evaluate_writes_its_report_and_the_cache(run: Run, home: Path, tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    write_scenes(data, 2)
    trace = run("-m", "sakedge", "evaluate", STUDENT, "--data", str(data), "-o", str(out))
    assert trace.code == 0, trace.output
    assert trace.network == []
    assert trace.written_outside(out, home / CACHE) in ([], [str(home / ".cache")])
    assert (out / "report.html").stat().st_size > 10_000


@pytest.mark.slow
def test_the_race_with_stock_runtimes_writes_a_temporary_folder_that_it_removes(
    run: Run, home: Path, tiny_student: Path
) -> None:
    code = (
        "from sakedge.peers.compare import compare; from sakedge.peers.types import Plan\n"
        "plan = Plan(threads=1, batch=1, rounds=1, warmup=0, calls=1, seconds=0.0)\n"
        f"(race,) = compare({str(tiny_student)!r}, plan, precisions=['fp32'])\n"
        "assert not race.refused and all(all(each) for each in race.samples.values()), race"
    )
    trace = run("-c", code)
    assert trace.code == 0, trace.output
    assert trace.network == []
    for path in map(Path, trace.written_outside(home / CACHE)):
        assert path == home / ".cache" or not path.exists()


def test_convert_writes_the_student(
    run: Run, home: Path, tmp_path: Path, tiny_checkpoint: tuple[Path, Path]
) -> None:
    student = tmp_path / "out" / "student.onnx"
    student.parent.mkdir()
    trace = run("-m", "sakedge", "convert", *map(str, tiny_checkpoint), "-o", str(student))
    assert trace.code == 0, trace.output
    assert trace.network == []
    assert trace.written_outside(student.parent) == []
    assert student.exists()


@pytest.mark.slow
def test_nothing_is_looked_up_later_either(run: Run, home: Path, tiny_student: Path) -> None:
    code = (
        "import sakedge, time\n"
        f"for name in {list(registry.BACKENDS)}:\n"
        f"    sakedge.load({str(tiny_student)!r}, backend=name, threads=1)\n"
        f"time.sleep({LOOKS_UP_AFTER})"
    )
    trace = run("-c", code)
    assert trace.code == 0, trace.output
    assert trace.network == []
    assert trace.written_outside(home / CACHE) == [str(home / ".cache")]


@pytest.mark.parametrize("backend", registry.BACKENDS)
def test_importing_a_runtime_starts_no_thread(backend: str, run: Run) -> None:
    """Telemetry that only looks up a host after a while has a thread that waits until then."""
    code = (
        "import os; os.environ['OPENBLAS_NUM_THREADS'] = '1'\n"
        "from sakedge.backends import registry\n"
        f"assert registry.probe({backend!r}).ok\n"
        "print(len(os.listdir('/proc/self/task')))"
    )
    assert run("-c", code).output == "1\n"


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("setpriv") is None,
    reason="only root can become a user without a name",
)
@pytest.mark.parametrize("backend", registry.BACKENDS)
@pytest.mark.parametrize("environment", [{}, {"HOME": "/nonexistent"}, {"HOME": ""}], ids=str)
def test_a_user_without_a_home_or_a_name_is_served(
    environment: dict[str, str], backend: str, tmp_path: Path, tiny_student: Path
) -> None:
    nobody = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups"]
    may_read = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    code = (
        "import sakedge, numpy as np\n"
        f"student = sakedge.load({str(tiny_student)!r}, backend={backend!r}, threads=1)\n"
        "student(np.zeros((64, 96, 3), np.uint8)); print(student.explain().session['cache'])"
    )
    scratch = tmp_path / "trace"
    scratch.mkdir()
    command = [*nobody, *may_read, sys.executable, "-c", code]
    trace = traced(command, scratch, environment)
    assert trace.code == 0, trace.output
    assert "no home folder" in trace.output or backend == "onnxruntime"
    assert trace.network == []
    assert trace.written_outside() == []
