"""Train the demo student: `python -m tools.demo_student`. Goes on where it was stopped."""

import argparse
from pathlib import Path

from tools.demo_student import data, stages

FOLDER = Path("build/demo_student")


def main() -> None:
    """Render the scenes, train the teachers, distil, train the tasks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="checkpoints and scenes")
    folder: Path = parser.parse_args().folder
    store = data.training_set(folder)
    stages.stage1(folder, store)
    stages.stage2(folder, store)


if __name__ == "__main__":
    main()
