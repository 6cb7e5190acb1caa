"""All cases by name."""

from __future__ import annotations

import os

from tests.kernels.misuse import kernels, objects, sizes
from tests.kernels.misuse.case import Case, Cases

CRASH = "a crash, to be found"

CASES: Cases = sizes.CASES | objects.CASES | kernels.CASES
assert len(CASES) == len(sizes.CASES) + len(objects.CASES) + len(kernels.CASES)

WITH_CRASH: Cases = CASES | {CRASH: Case(os.abort)}
