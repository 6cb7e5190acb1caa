"""The report of an evaluation: one HTML page that needs no other file and no network."""

import atexit
import os
import shutil
import tempfile

from sakedge.backends.cache_dir import resolve_cache_dir


def _keep_fonts_apart() -> None:
    """Has matplotlib keep its list of fonts in our cache, or nowhere, and not in the home folder.

    It asks when it is imported, so this comes before it. A place that the user chose stays.
    """
    if "MPLCONFIGDIR" in os.environ:
        return
    cache = resolve_cache_dir().folder
    if cache is None:
        folder = tempfile.mkdtemp(prefix="sakedge-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["MPLCONFIGDIR"] = folder
    else:
        os.environ["MPLCONFIGDIR"] = str(cache / "matplotlib")


_keep_fonts_apart()

from sakedge.evaluating.report.page import write_report  # noqa: E402

__all__ = ["write_report"]
