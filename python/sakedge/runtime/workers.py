"""Fresh processes of our own: a module that answers a request on its standard input."""

from __future__ import annotations

import sys

# Not `python -m`, which would import what lies in the folder that it is started in, a `json.py` of
# the user's for one; what keeps it from that, PYTHONSAFEPATH, Python 3.10 does not know.
_START = """\
import sys
sys.path = [each for each in sys.path if each]
import runpy
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)"""


def worker(module: str) -> list[str]:
    """The command that runs a module of ours in a fresh process, wherever that is started."""
    return [sys.executable, "-c", _START, module]
