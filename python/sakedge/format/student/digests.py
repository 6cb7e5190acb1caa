"""The two digests of a student: of what it computes, and of the file as it is."""

from __future__ import annotations

import hashlib
from typing import Any

from sakedge.format.digest import canonical_json
from sakedge.format.onnx.scan import ModelScan
from sakedge.format.student.manifest import Manifest

# Everything else counts, unknown fields included. The following may be learnt or corrected after
# the student was made, without changing any output.
_NOT_CONTENT: dict[str, Any] = {
    "format_version": True,
    "provenance": True,
    "quality": True,
    "stem_lineage": True,
    "adapters": {"__all__": {"teacher": True, "license": True}},
}


def content_digest(manifest: Manifest, opset: int, ir_version: int) -> str:
    """Digest of what decides a student's output; records name a student by it.

    It is SHA-256 over canonical JSON of the manifest, which has the digests of graph and weights.
    Fields at their default are left out, so that a field that a later version adds, with a default
    that states the earlier behaviour, leaves older students' digests unchanged. For the same reason
    a default never changes.

    Args:
        manifest: The student's.
        opset: Version of the operator set that its graph imports.
        ir_version: Version of the ONNX format that its file states.
    """
    content = {
        "manifest": manifest.model_dump(mode="json", exclude_defaults=True, exclude=_NOT_CONTENT),
        "opset": opset,
        "ir_version": ir_version,
    }
    return hashlib.sha256(canonical_json(content)).hexdigest()


def file_digest(data: memoryview, scan: ModelScan) -> str:
    """Digest of every byte of a model file outside its tensors' values.

    The values are covered all the same: the manifest, which is among those bytes, has their
    digests. So no weight need be read.
    """
    digest, at = hashlib.sha256(), 0
    for values in scan.values():
        digest.update(data[at : values.start])
        at = values.end
    digest.update(data[at:])
    return digest.hexdigest()
