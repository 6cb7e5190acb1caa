"""What the demo student is: its tasks, teachers and sizes. Every other file here reads it."""

from dataclasses import dataclass, field

DATASET = "inspection"
SIZE = 256  # pixels a side, of images and of the full-size ground truth
PATCH = 16  # pixels a token is wide
GRID = SIZE // PATCH  # tokens a side
HEAD = SIZE // 4  # a head's own resolution (docs/model.md, section 2.4)
CHANNELS = 192
DEPTH = 12
HEADS = 3
LEVELS = (2, 5, 8, 11)  # block indices whose output the tasks read
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)

# Seeds of scenes: of parts, and of circuit boards, the product that came later.
TRAIN_SEEDS = range(100_000, 106_000)
HELD_OUT_SEEDS = range(900_000, 900_300)
BOARD_TRAIN_SEEDS = range(200_000, 201_344)
BOARD_HELD_OUT_SEEDS = range(910_000, 910_300)

TEACHERS = ("texture", "semantics", "geometry")


@dataclass(frozen=True)
class TaskSpec:
    """One task as the configuration file states it.

    Attributes:
        name: the task's name.
        kind: labels | probability | two_class | normals | scalar.
        channels: channels of the head's output.
        labels: class names, for label kinds.
        colors: one RGB colour a class.
        unit: unit of a scalar.
    """

    name: str
    kind: str
    channels: int
    labels: tuple[str, ...] = ()
    colors: tuple[tuple[int, int, int], ...] = field(default=())
    unit: str | None = None


CLASSES = ("background", "part", "scratch", "dent", "hole", "stain", "missing")
FIRST_DEFECT = 2  # classes from here on are defects

TASKS = (
    TaskSpec(
        "semseg",
        "labels",
        len(CLASSES),
        CLASSES,
        (
            (32, 34, 40),
            (120, 134, 152),
            (255, 200, 60),
            (66, 170, 245),
            (235, 72, 72),
            (176, 108, 60),
            (190, 96, 230),
        ),
    ),
    TaskSpec("edge", "probability", 1),
    TaskSpec("sal", "two_class", 2, ("sound", "defect"), ((32, 34, 40), (235, 72, 72))),
    TaskSpec("normals", "normals", 3),
    TaskSpec("depth", "scalar", 1, unit="m"),
)
TASK_NAMES = tuple(task.name for task in TASKS)
