"""Compiles CUDA kernels with NVRTC from its wheel: no toolkit, no headers, no GPU.

Of each architecture there is PTX (`compute_*`) or machine code (`sm_*`), and what the assembler
reports of each kernel: registers, spills, shared memory. `--output` writes both for every file,
to look at; `--archive` writes the images that ship, each of all kernels together, and which driver
each needs.
"""

from __future__ import annotations

import argparse
import ctypes
import io
import json
import os
import re
import site
import sys
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
KERNELS = ROOT / "csrc" / "cuda" / "kernels"


SPECIFIC = {"sm_90": "sm_90a", "compute_90": "compute_90a"}
"""Hopper's own instructions have a name of their own, for no later architecture has them. Machine
code of it runs on compute capability 9.0 alone, and there is no other that it could run on."""


@dataclass(frozen=True)
class Compiler:
    """A version of NVRTC."""

    library: ctypes.CDLL

    @classmethod
    def find(cls, major: int) -> Compiler:
        """Loads NVRTC of a major version of CUDA from its wheel or from the library path.

        Raises:
            FileNotFoundError: There is none.
        """
        name = f"libnvrtc.so.{major}"
        folders = [Path(p) for p in [*site.getsitepackages(), *sys.path] if p]
        for folder in folders:
            for place in ("cuda_nvrtc/lib", f"cu{major}/lib"):
                path = folder / "nvidia" / place / name
                if path.exists():
                    # It would look for its other half on the library path only.
                    for builtins in path.parent.glob("libnvrtc-builtins.so.*"):
                        ctypes.CDLL(str(builtins))
                    return cls(ctypes.CDLL(str(path)))
        try:
            return cls(ctypes.CDLL(name))
        except OSError:
            package = (
                "nvidia-cuda-nvrtc-cu12==12.6.*" if major == 12 else "nvidia-cuda-nvrtc==13.0.*"
            )
            raise FileNotFoundError(f"no {name}: install {package}") from None

    @property
    def version(self) -> str:
        """E.g. 12.6."""
        major, minor = ctypes.c_int(), ctypes.c_int()
        self.library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
        return f"{major.value}.{minor.value}"

    def compile(self, source: Path, arch: str) -> tuple[bytes, str]:
        """Compiles a file; returns PTX or machine code, and the log.

        Raises:
            RuntimeError: The compiler refused it, with its messages.
        """
        return self.compile_text(source.read_text(), str(source), arch)

    def compile_text(self, text: str, name: str, arch: str) -> tuple[bytes, str]:
        """Compiles a text that is called `name`; as `compile`."""
        program = ctypes.c_void_p()
        self._check(
            self.library.nvrtcCreateProgram(
                ctypes.byref(program), text.encode(), name.encode(), 0, None, None
            )
        )
        options = [
            f"--gpu-architecture={SPECIFIC.get(arch, arch)}",
            "--std=c++17",
            f"-I{ROOT / 'csrc'}",
            "--ptxas-options=-v",
            "--device-as-default-execution-space",
        ]
        raw = [option.encode() for option in options]
        result = self.library.nvrtcCompileProgram(
            program, len(raw), (ctypes.c_char_p * len(raw))(*raw)
        )
        log = self._text(program, "ProgramLog").decode(errors="replace").rstrip("\0")
        if result:
            raise RuntimeError(f"{Path(name).name} for {arch}:\n{log}")
        kind = "PTX" if arch.startswith("compute") else "CUBIN"
        code = self._text(program, kind)
        self._check(self.library.nvrtcDestroyProgram(ctypes.byref(program)))
        return code.rstrip(b"\0") if kind == "PTX" else code, log

    def _text(self, program: ctypes.c_void_p, what: str) -> bytes:
        size = ctypes.c_size_t()
        self._check(getattr(self.library, f"nvrtcGet{what}Size")(program, ctypes.byref(size)))
        text = ctypes.create_string_buffer(size.value)
        self._check(getattr(self.library, f"nvrtcGet{what}")(program, text))
        return text.raw

    @staticmethod
    def _check(result: int) -> None:
        if result:
            raise RuntimeError(f"NVRTC failed with error {result}")


def usage(log: str) -> dict[str, dict[str, int]]:
    """What the log says of each kernel: registers, stack, spilled and static shared bytes."""
    found: dict[str, dict[str, int]] = {}
    name = ""
    for line in log.splitlines():
        if entry := re.search(r"Compiling entry function '(\w+)'", line):
            name = entry[1]
            found[name] = {"registers": 0, "spills": 0, "stack": 0, "shared": 0}
        if not name:
            continue
        if spills := re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores", line):
            found[name]["stack"], found[name]["spills"] = int(spills[1]), int(spills[2])
        if registers := re.search(r"Used (\d+) registers", line):
            found[name]["registers"] = int(registers[1])
        if shared := re.search(r"(\d+) bytes smem", line):
            found[name]["shared"] = int(shared[1])
    return found


def nvrtc_for(arch: str) -> int:
    """The major version of CUDA that compiles for an architecture.

    What CUDA 13 writes, drivers of CUDA 12 refuse, so all that CUDA 12 knows is left to it;
    SAKEDGE_NVRTC names another, for a development build where that is all there is.
    """
    if forced := os.environ.get("SAKEDGE_NVRTC"):
        return int(forced)
    return 13 if int(arch.rpartition("_")[2]) >= 100 else 12


def image(arch: str, sources: Sequence[Path]) -> tuple[bytes, int]:
    """One module of the kernels of all sources, and the oldest driver that takes it.

    Returns:
        PTX, which the driver reads up to a zero byte, or machine code; and the driver as the newest
        CUDA that it knows, 12060 for 12.6. Machine code runs with all drivers of its major version.

    Raises:
        RuntimeError: The compiler refused it, with its messages.
    """
    compiler = Compiler.find(nvrtc_for(arch))
    unit = "".join(f'#include "{source.relative_to(ROOT / "csrc")}"\n' for source in sources)
    code, _ = compiler.compile_text(unit, "kernels.cu", arch)
    major, _, minor = compiler.version.partition(".")
    if arch.startswith("compute"):
        return code + b"\0", 1000 * int(major) + 10 * int(minor)
    return code, 1000 * int(major)


def write_archive(path: Path, archs: Sequence[str], sources: Sequence[Path]) -> None:
    """Writes an archive of images, the same bytes whenever it is made of the same sources."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = list(pool.map(lambda arch: image(arch, sources), archs))
    names = [f"{a}.{'ptx' if a.startswith('compute') else 'cubin'}" for a in archs]
    drivers = {name: {"driver": made[i][1]} for i, name in enumerate(names)}
    members = {"images.json": json.dumps(drivers, indent=1).encode()}
    members |= {name: made[i][0] for i, name in enumerate(names)}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 9)
    path.write_bytes(buffer.getvalue())


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", action="append", required=True, help="compute_80, sm_87, …")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--output", type=Path, help="folder of a file for every source")
    place.add_argument("--archive", type=Path, help="file of an image for every architecture")
    parser.add_argument("sources", nargs="*", type=Path, help="default: all kernels")
    given = parser.parse_args()
    sources = [s.resolve() for s in given.sources] or sorted(KERNELS.glob("*.cu"))
    if given.archive is not None:
        write_archive(given.archive, given.arch, sources)
        return
    given.output.mkdir(parents=True, exist_ok=True)

    def one(arch: str, source: Path) -> None:
        code, log = Compiler.find(nvrtc_for(arch)).compile(source, arch)
        suffix = "ptx" if arch.startswith("compute") else "cubin"
        path = given.output / f"{source.stem}.{arch}.{suffix}"
        path.write_bytes(code)
        path.with_suffix(".json").write_text(json.dumps(usage(log), indent=1))

    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(one, arch, source) for arch in given.arch for source in sources]:
            done.result()


if __name__ == "__main__":
    main()
