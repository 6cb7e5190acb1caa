"""Students as `sakedge export` writes them."""

from pathlib import Path

from sakedge.exporting import export
from sakedge.files.atomic import make_folder
from sakedge.format import GraphForm, StudentFile


def exported_student(student: Path, folder: Path) -> Path:
    """The exported graph in `folder`, one file for every stock runtime; made if missing.

    Its name holds the graph's digest, so a graph that is written differently is another file.
    """
    with StudentFile.open(student) as file, file.sparing():
        manifest = file.manifest
        form = GraphForm(tasks=manifest.task_names, adapters=manifest.adapter_names)
        path = folder / f"exported-{file.exported(form).digest[:16]}.onnx"
    if not path.exists():
        make_folder(folder)
        export(student, path)
    return path
