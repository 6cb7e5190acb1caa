"""Build, test and measure the CUDA backend on this machine: `python -m tools.gpu_check`."""

from tools.gpu_check.command import main

if __name__ == "__main__":
    raise SystemExit(main())
