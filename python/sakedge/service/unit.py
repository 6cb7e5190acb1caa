"""The unit by which systemd runs a line, and the user that it runs as."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sakedge.service.line import Line

USER = "sakedge"
UNITS = Path("etc/systemd/system")
SYSUSERS = Path("etc/sysusers.d/sakedge.conf")
STEPS_FROM = 254
"""systemd's version from which pauses between restarts can grow."""
WATCHDOG_SECONDS = 60
PYTHON = ("-I", "-X", "faulthandler", "-u", "-B", "-m", "sakedge")
"""Of Python's arguments: nothing of the environment or of the folder that the line may write to is
imported. Where the loop hangs, the watchdog's signal shows it in the log; no core is written."""
_HOMES = ("/home/", "/root/", "/run/user/")

SYSUSERS_TEXT = """\
# Written by `sakedge service install`: whom lines run as.
u sakedge - "sakedge lines" /var/lib/sakedge
m sakedge video
m sakedge render
g video -
g render -
"""


@dataclass(frozen=True)
class Service:
    """A line as a service of this machine.

    Attributes:
        name: The line's.
        config: Its file.
        line: What that says.
        python: The interpreter that has sakedge.
        systemd: The version of systemd; 0 if that is not known.
    """

    name: str
    config: Path
    line: Line
    python: Path = Path(sys.executable)
    systemd: int = 0

    @property
    def unit_name(self) -> str:
        """E.g. `sakedge-line.service`."""
        return f"{USER}-{self.name}.service"

    @property
    def unit(self) -> str:
        """The unit's text."""
        parts = (self._unit(), self._service(), self._sandbox(), self._access(), _INSTALL)
        text = "\n".join("\n".join(part) for part in parts)
        return f"# Written by `sakedge service install {self.config}`.\n{text}\n"

    @property
    def notes(self) -> list[str]:
        """What is less strict than it could be, and why."""
        found = []
        if self._in_home:
            places = ", ".join(map(str, self._in_home))
            found.append(
                f"{places}: in a home folder, so the service may read homes; /opt is better"
            )
        if not self._may_forbid_jit:
            found.append(
                "MemoryDenyWriteExecute is off: OpenVINO and GPU drivers make machine code; with "
                '"backend": "onnxruntime" on a CPU it is on'
            )
        return found

    def _unit(self) -> Iterator[str]:
        yield "[Unit]"
        yield f"Description=sakedge line {self.name}"
        if self.line.network is not False:
            yield "Wants=network-online.target"
            yield "After=network-online.target"
        # A line that cannot go on is tried for a while, and then is seen to have failed.
        yield "StartLimitIntervalSec=1h"
        yield "StartLimitBurst=20"
        yield ""

    def _service(self) -> Iterator[str]:
        yield "[Service]"
        yield "Type=notify"
        yield "NotifyAccess=main"
        yield f"ExecStart={self.python} {' '.join(PYTHON)} service run {self.config}"
        yield f"User={USER}"
        yield f"SyslogIdentifier={USER}-{self.name}"
        yield f"WatchdogSec={WATCHDOG_SECONDS}"
        # Loading may compile for a device, which takes minutes.
        yield "TimeoutStartSec=15min"
        yield "TimeoutStopSec=30s"
        yield "Restart=on-failure"
        # 2: it ended, and some frames could not be used. 64: its file is wrong, and stays so.
        yield "SuccessExitStatus=2"
        yield "RestartPreventExitStatus=64"
        yield f"RestartSec={'5s' if self.systemd >= STEPS_FROM else '15s'}"
        if self.systemd >= STEPS_FROM:
            yield "RestartSteps=6"
            yield "RestartMaxDelaySec=2min"
        yield "LimitCORE=0"
        if self.line.cpus is not None:
            yield f"CPUQuota={round(100 * self.line.cpus)}%"
        if self.line.memory_mb is not None:
            yield f"MemoryMax={self.line.memory_mb}M"
        yield ""

    def _sandbox(self) -> Iterator[str]:
        yield from _SANDBOX
        yield f"MemoryDenyWriteExecute={_yes(self._may_forbid_jit)}"
        yield ""

    def _access(self) -> Iterator[str]:
        place = f"{USER}/{self.name}"
        yield f"StateDirectory={place}"
        yield f"CacheDirectory={place}"
        yield f"LogsDirectory={place}"
        yield "StateDirectoryMode=0750"
        yield "CacheDirectoryMode=0700"
        yield "LogsDirectoryMode=0750"
        yield f"WorkingDirectory=/var/lib/{place}"
        yield f"Environment=SAKEDGE_CACHE=/var/cache/{place}"
        yield f"ProtectHome={'read-only' if self._in_home else 'yes'}"
        if self._writable:
            yield f"ReadWritePaths={' '.join(f'-{each}' for each in self._writable)}"
        yield from self._network()
        yield from self._devices()
        yield ""

    def _network(self) -> Iterator[str]:
        network = self.line.network
        if network is False:
            yield "PrivateNetwork=yes"
            yield "IPAddressDeny=any"
            yield "RestrictAddressFamilies=AF_UNIX"
            return
        yield "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6"
        if isinstance(network, list):
            yield "IPAddressDeny=any"
            yield f"IPAddressAllow={' '.join(network)}"

    def _devices(self) -> Iterator[str]:
        camera = self.line.camera
        if self.line.uses_gpu:
            # Their devices have other names on every board; the files' permissions decide.
            yield "PrivateDevices=no"
            yield "SupplementaryGroups=video render"
        elif camera is not None:
            yield "PrivateDevices=no"
            yield "DevicePolicy=closed"
            yield f"DeviceAllow={camera} rw"
            yield "SupplementaryGroups=video"
        else:
            yield "PrivateDevices=yes"

    @property
    def _may_forbid_jit(self) -> bool:
        """Whether nothing that runs makes machine code in memory."""
        return self.line.backend == "onnxruntime" and not self.line.uses_gpu

    @property
    def _in_home(self) -> list[Path]:
        places: Iterable[Path] = (self.python, self.config, Path(self.line.student))
        return [each for each in places if str(each).startswith(_HOMES)]

    @property
    def _writable(self) -> list[str]:
        """What it writes outside of its own folders: a named output, the store, the site's log."""
        site = self.line.site or "/etc/sakedge"
        named = [self.line.output, self.line.store]
        places = [each for each in named if each is not None and each.startswith("/")]
        return [*places, f"{site}/audit", f"{site}/checkpoints"]


def lasting(python: Path) -> Path:
    """An interpreter's path that an upgrade leaves: by `current`, not by its version."""
    for version in python.parents:
        current = version.parent.parent / "current"
        if version.parent.name == "versions" and current.resolve() == version.resolve():
            return current / python.relative_to(version)
    return python


def _yes(value: bool) -> str:
    return "yes" if value else "no"


# Not among them: ProcSubset=pid, for threads and evidence go by /proc/cpuinfo; PrivateUsers=yes,
# under which files of root belong to nobody, and a cache or store of nobody's is refused.
_SANDBOX = (
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
    "ProtectSystem=strict",
    "PrivateTmp=yes",
    "PrivateIPC=yes",
    "RemoveIPC=yes",
    "ProtectProc=invisible",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectControlGroups=yes",
    "LockPersonality=yes",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "KeyringMode=private",
    "UMask=0027",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @resources",
    "SystemCallErrorNumber=EPERM",
)
_INSTALL = ("[Install]", "WantedBy=multi-user.target")
