"""Compiles CUDA kernels with NVRTC from its wheel: no toolkit, no headers, no GPU.

Every `*.cu` of `csrc/cuda/kernels` becomes one module per architecture: PTX for `compute_*`, machine
code for `sm_*`. What the assembler reports of each kernel (registers, spills, shared memory) goes to
a JSON file beside it.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import re
import site
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
KERNELS = ROOT / "csrc" / "cuda" / "kernels"


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
        program = ctypes.c_void_p()
        self._check(
            self.library.nvrtcCreateProgram(
                ctypes.byref(program), source.read_bytes(), str(source).encode(), 0, None, None
            )
        )
        options = [
            f"--gpu-architecture={arch}",
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
            raise RuntimeError(f"{source.name} for {arch}:\n{log}")
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
    """What the assembler's log says of each kernel: registers, spilled bytes, static shared memory."""
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

    What CUDA 13 writes, drivers of CUDA 12 refuse, so all that CUDA 12 knows is left to it.
    """
    return 13 if int(arch.rpartition("_")[2]) >= 100 else 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", action="append", required=True, help="compute_80, sm_87, …")
    parser.add_argument("--output", type=Path, required=True, help="folder")
    parser.add_argument("sources", nargs="*", type=Path, help="default: all kernels")
    given = parser.parse_args()
    sources = given.sources or sorted(KERNELS.glob("*.cu"))
    given.output.mkdir(parents=True, exist_ok=True)

    def one(arch: str, source: Path) -> None:
        code, log = Compiler.find(nvrtc_for(arch)).compile(source.resolve(), arch)
        suffix = "ptx" if arch.startswith("compute") else "cubin"
        path = given.output / f"{source.stem}.{arch}.{suffix}"
        path.write_bytes(code)
        path.with_suffix(".json").write_text(json.dumps(usage(log), indent=1))

    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(one, arch, source) for arch in given.arch for source in sources]:
            done.result()


if __name__ == "__main__":
    main()
