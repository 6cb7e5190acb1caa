"""Make the demo student: `python -m tools.demo_student`. Resumes where it was stopped."""

import argparse
from pathlib import Path

from tools.demo_student import data, report, stages
from tools.demo_student.config_file import write_config

FOLDER = Path("build/demo_student")


def main() -> None:
    """Render the scenes, train the teachers, distil, train the tasks, write the report."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo_student", description=__doc__)
    parser.add_argument("what", choices=("all", "train", "report"), default="all", nargs="?")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="checkpoints and scenes")
    args = parser.parse_args()
    folder: Path = args.folder
    folder.mkdir(parents=True, exist_ok=True)
    if args.what != "report":
        store = data.training_set(folder)
        stages.stage1(folder, store)
        stages.stage2_tasks(folder, store)
        stages.stage2_experts(folder, store)
        stages.stage2_normals(folder, store)
        stages.settle_norms(folder, store)
        write_config(folder / "config.yml")
    if args.what != "train":
        report.write_report(folder)


if __name__ == "__main__":
    main()
