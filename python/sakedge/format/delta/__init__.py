"""Deltas: what has to be sent to one who has a file already, to make another of it."""

from sakedge.format.delta.differ import diff
from sakedge.format.delta.header import DeltaInfo, FileId
from sakedge.format.delta.patcher import patch, patch_file, read_info

__all__ = ["DeltaInfo", "FileId", "diff", "patch", "patch_file", "read_info"]
