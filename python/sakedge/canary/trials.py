"""Golden images before, and a watch after, for the adapters of one student.

What they take is imported when they are asked for: a student is loaded more often than changed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sakedge.adapters.snapshot import Snapshot
from sakedge.adapters.trials import Exchange
from sakedge.errors import OptionError, shown
from sakedge.files.paths import file_path
from sakedge.format import Manifest
from sakedge.images import Picture
from sakedge.result import Result

if TYPE_CHECKING:
    from sakedge.canary.judge import Runner
    from sakedge.canary.report import Report
    from sakedge.canary.watch import Watch
    from sakedge.canary.watching import Watching
    from sakedge.site import Site


class CanaryTrials:
    """Tries the exchanges of a student; see `sakedge.adapters.trials.Trials`.

    Args:
        run: Runs an image with several snapshots.
        manifest: The student's.
        site: What it requires of a folder of golden images.

    Attributes:
        watching: The last watch; None if there was none.
    """

    def __init__(self, run: Runner, manifest: Manifest, site: Site) -> None:
        self.watching: Watching | None = None
        self._run = run
        self._manifest = manifest
        self._site = site

    def judge(self, golden: object, before: Snapshot, after: Snapshot) -> Report:
        """Runs golden images with both.

        Raises:
            AdapterRejectedError: What would come is worse than allowed.
            TrustError: The site requires that golden images are signed, and these are not.
            DatasetError, ImageError, StorageError: They cannot be used.
            OptionError: They are neither a folder nor `Golden`.
        """
        from sakedge.canary.golden import Golden
        from sakedge.canary.judge import judge

        if isinstance(golden, (str, os.PathLike)):
            golden = file_path("the golden images", golden)
        if not isinstance(golden, (Path, Golden)):
            raise OptionError("those are no golden images", expected="a folder", got=shown(golden))
        folder = golden if isinstance(golden, Path) else golden.folder
        self._site.admit_folder(folder)
        read = Golden.read(folder, self._manifest) if isinstance(golden, Path) else golden
        return judge(self._run, self._manifest, read, before, after)

    def watch(self, settings: object, exchange: Exchange) -> None:
        """Watches live images after an exchange."""
        from sakedge.canary.report import Report
        from sakedge.canary.watch import Watch
        from sakedge.canary.watching import Watching

        assert isinstance(settings, Watch) and isinstance(exchange.report, Report)
        self.watching = Watching(
            settings,
            exchange.report,
            self._run,
            self._manifest,
            exchange.before,
            exchange.after,
            undo=exchange.undo,
            record=self._site.record,
        )

    def settings(self, watch: object, golden: object) -> Watch | None:
        """What `swap(watch=…)` was given, checked.

        Raises:
            OptionError: It is no `Watch`, or there are no golden images to compare live ones with.
        """
        if watch is None or watch is False:
            return None
        from sakedge.canary.watch import Watch

        if watch is not True and not isinstance(watch, Watch):
            raise OptionError(
                "that is no watch", expected="a sakedge.Watch, or True", got=shown(watch)
            )
        if golden is None:
            raise OptionError(
                "a watch compares live images with golden ones, and there are none",
                expected="golden=… beside watch=…",
                remedy="Give the folder of golden images",
            )
        return Watch() if watch is True else watch

    def observe(self, picture: Picture, result: Result) -> None:
        """Takes note of a live image."""
        if self.watching is not None:
            self.watching.observe(picture, result)

    def stop(self, reason: str) -> None:
        """Ends the watch, if there is one."""
        if self.watching is not None:
            self.watching.stop(reason)
