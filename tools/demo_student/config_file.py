"""Writes config.yml beside the checkpoint: from it the converter reads the student's shape."""

from pathlib import Path
from typing import Any

import yaml
from tools.demo_student import spec


def _task(task: spec.TaskSpec) -> dict[str, Any]:
    """One task's description; what does not apply is left out."""
    entry: dict[str, Any] = {"name": task.name, "kind": task.kind, "classes": task.channels}
    if task.labels:
        entry["labels"] = list(task.labels)
        entry["colors"] = [list(color) for color in task.colors]
    if task.unit:
        entry["unit"] = task.unit
    return entry


def write_config(path: Path) -> None:
    """Write the configuration in the layout of the official ones, tasks described."""
    config = {
        "dataset": spec.DATASET,
        "input_size": [spec.SIZE, spec.SIZE],
        "mean": list(spec.MEAN),
        "std": list(spec.STD),
        "task_dict": {task.name: task.channels for task in spec.TASKS},
        "tasks": [_task(task) for task in spec.TASKS],
        "teachers": {
            name: {"backbone_type": f"in-house-{name}", "license": "Apache-2.0"}
            for name in spec.TEACHERS
        },
        "student": {
            "backbone": {
                "vit_name": "vit_tiny",
                "down_ratio": 4,
                "router_type": "mor",
                "noisy_gating": True,
            }
        },
    }
    path.write_text(yaml.safe_dump(config, sort_keys=False))
