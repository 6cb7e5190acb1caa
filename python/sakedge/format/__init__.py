"""The files: the manifest, student.onnx, part packs, and their digests. No runtime in here."""

from sakedge.format.onnx.opsets import OPSET, OPSETS
from sakedge.format.pack.files import read_pack, read_pack_content, write_pack
from sakedge.format.pack.manifest import COMPONENTS, PACK_VERSION, PartKind, PartManifest
from sakedge.format.pack.part import PartPack, extract_part
from sakedge.format.student.digests import content_digest
from sakedge.format.student.exported import GraphForm, exported_graph, write_graph
from sakedge.format.student.manifest import STUDENT_VERSION, Manifest
from sakedge.format.student.parts import (
    AdapterInfo,
    Architecture,
    Fit,
    Preprocess,
    Provenance,
    Storage,
)
from sakedge.format.student.quality import QualityEntry, TaskQuality
from sakedge.format.student.reader import StudentFile
from sakedge.format.student.subgraph import Subgraph
from sakedge.format.student.writer import write_student

__all__ = [
    "COMPONENTS",
    "OPSET",
    "OPSETS",
    "PACK_VERSION",
    "STUDENT_VERSION",
    "AdapterInfo",
    "Architecture",
    "Fit",
    "GraphForm",
    "Manifest",
    "PartKind",
    "PartManifest",
    "PartPack",
    "Preprocess",
    "Provenance",
    "QualityEntry",
    "Storage",
    "StudentFile",
    "Subgraph",
    "TaskQuality",
    "content_digest",
    "exported_graph",
    "extract_part",
    "read_pack",
    "read_pack_content",
    "write_graph",
    "write_pack",
    "write_student",
]
