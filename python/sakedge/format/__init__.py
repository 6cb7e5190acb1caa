"""The files: the manifest, student.onnx, adapter packs, and their digests. No runtime in here."""

from sakedge.format.pack.pack import (
    AdapterPack,
    PackManifest,
    extract_adapter,
    read_adapter_pack,
    write_adapter_pack,
)
from sakedge.format.student.manifest import (
    FORMAT_VERSION,
    AdapterInfo,
    Architecture,
    Manifest,
    Precision,
    Preprocess,
    Provenance,
)
from sakedge.format.student.reader import StudentFile
from sakedge.format.student.subgraph import Subgraph
from sakedge.format.student.writer import write_student

__all__ = [
    "FORMAT_VERSION",
    "AdapterInfo",
    "AdapterPack",
    "Architecture",
    "Manifest",
    "PackManifest",
    "Precision",
    "Preprocess",
    "Provenance",
    "StudentFile",
    "Subgraph",
    "extract_adapter",
    "read_adapter_pack",
    "write_adapter_pack",
    "write_student",
]
