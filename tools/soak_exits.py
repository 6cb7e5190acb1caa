"""Interpreter exits while threads infer: `python -m tools.soak_exits --exits 50`.

Prints for each kind of work how many exits were clean: code 0 and nothing on standard error.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
STUDENT = ROOT / "python" / "sakedge" / "assets" / "demo-student.onnx"

# The main thread leaves at a random moment; the daemon threads go on as long as they are let.
PROGRAM = """
import sys, threading, time
import numpy as np
import sakedge
student_path, backend, pause = sys.argv[1], sys.argv[2], float(sys.argv[3])
student = sakedge.load(student_path, backend=backend, threads=2, cache_dir="")
small, large = np.zeros((256, 256, 3), np.uint8), np.zeros((600, 700, 3), np.uint8)
inputs = np.zeros((1, 3, *student.input_size), np.float32)
def forever(work):
    while True:
        work()
for _ in range(3):
    threading.Thread(target=forever, args=[lambda: {work}], daemon=True).start()
time.sleep(pause)
"""
WORK = {
    "calls": "student(small)",
    "tiled calls": 'student(large, fit="tile")',
    "inputs": "student.infer(inputs)",
    "loads": 'sakedge.load(student_path, backend=backend, threads=1, cache_dir="")',
}


def exit_while(work: str, backend: str, pause: float) -> str:
    """Runs one process to its end; returns what was wrong with it, or nothing."""
    program = PROGRAM.replace("{work}", WORK[work])
    command = [sys.executable, "-c", program, str(STUDENT), backend, str(pause)]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        return "hangs"
    if ended.returncode or ended.stderr:
        return f"code {ended.returncode}: {ended.stderr[-300:]}"
    return ""


def main() -> int:
    """Prints a line for each kind of work; 1 if an exit was not clean."""
    parser = argparse.ArgumentParser(prog="python -m tools.soak_exits", description=__doc__)
    parser.add_argument("--exits", type=int, default=50, help="of each kind of work")
    parser.add_argument("--backend", default="onnxruntime")
    arguments = parser.parse_args()
    pauses = random.Random(0)
    failed = False
    for work in WORK:
        problems = [
            problem
            for _ in range(arguments.exits)
            if (problem := exit_while(work, arguments.backend, pauses.uniform(0.05, 0.6)))
        ]
        clean = arguments.exits - len(problems)
        print(f"{arguments.backend}, {work}: {clean} of {arguments.exits} clean", flush=True)
        for problem in problems:
            print(f"  {problem}", flush=True)
        failed |= bool(problems)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
