"""Lets coverage guide the fuzzing of students' structure: `python -m tools.fuzz.coverage`.

Needs atheris (`pip install atheris`), which has wheels for some versions of Python only. Arguments
are libFuzzer's, e.g. `-max_total_time=300`. What it finds new is kept in `build/fuzz/structure`,
where the next run begins.
"""

from __future__ import annotations

import importlib.util
import sys
from contextlib import suppress
from pathlib import Path

INPUTS = Path(__file__).parents[2] / "build" / "fuzz" / "structure"


def main() -> None:
    """Fuzzes until the arguments say to stop; does nothing without atheris."""
    if importlib.util.find_spec("atheris") is None:
        print("skipped: atheris is not installed")
        return
    import atheris

    with atheris.instrument_imports(include=["sakedge.format"]):
        from sakedge.format.onnx.scan import scan_model
        from sakedge.format.parse import parse, read_fields
        from sakedge.format.student.contents import manifest_fields
        from sakedge.format.student.manifest import STUDENT
    from tools.fuzz.tiny import write_tiny

    from sakedge.errors import SakedgeError

    def attempt(content: bytes) -> None:
        data = memoryview(content)
        with suppress(SakedgeError):
            fields = manifest_fields(data, scan_model(data, "fuzzed"), "fuzzed")
            parse(STUDENT, fields, "fuzzed")
        with suppress(SakedgeError):
            parse(STUDENT, read_fields(content, "fuzzed"), "fuzzed")

    INPUTS.mkdir(parents=True, exist_ok=True)
    write_tiny(INPUTS / "student.onnx", external=True)
    atheris.Setup([*sys.argv, str(INPUTS)], attempt)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
