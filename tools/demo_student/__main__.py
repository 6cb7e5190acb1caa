"""Make the demo student: `python -m tools.demo_student`. Resumes where it was stopped."""

import argparse
from pathlib import Path

FOLDER = Path("build/demo_student")


def main() -> None:
    """Train the student, adapt it to a new product, write the page, or write scenes."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo_student", description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="checkpoints and scenes")
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("train", help="scenes, teachers, distillation, tasks, and their report")
    commands.add_parser("adapt", help="the adapter of the new product, and its report")
    commands.add_parser("draw", help="pictures of the student that ships")
    commands.add_parser("hero", help="which held-out scenes suit the README")
    commands.add_parser("page", help="docs/demo-student.md from what was measured")
    scenes = commands.add_parser("scenes", help="scenes as a data set in a folder")
    scenes.add_argument("into", type=Path, metavar="FOLDER")
    scenes.add_argument("--count", type=int, required=True)
    scenes.add_argument("--first", type=int, metavar="SEED", help="default: the held-out ones'")
    scenes.add_argument("--new", action="store_true", help="circuit boards, the new product")
    args = parser.parse_args()
    folder: Path = args.folder
    # Imported here, as writing scenes needs no torch.
    if args.what == "scenes":
        from tools.demo_student.folder import write_scenes

        try:
            write_scenes(args.into, args.count, args.first, args.new)
        except ValueError as error:
            parser.error(str(error))
        return
    if args.what == "draw":
        from tools.demo_student.sheets import draw_sheets

        draw_sheets()
        return
    if args.what == "hero":
        from tools.demo_student.hero import KINDS, find_right

        seen, right = find_right()
        print(f"{seen} held-out scenes with {KINDS} kinds of defects or more; right in {right}")
        return
    folder.mkdir(parents=True, exist_ok=True)
    if args.what == "train":
        from tools.demo_student import report, stages

        stages.run(folder)
        report.measure_training(folder)
    elif args.what == "adapt":
        from tools.demo_student import adapt, report_boards

        adapt.run(folder)
        report_boards.measure_boards(folder)
    from tools.demo_student.page import write_page

    write_page()


if __name__ == "__main__":
    main()
