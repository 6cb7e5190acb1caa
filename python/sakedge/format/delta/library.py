"""The zstandard package, and how frames of it are made and read here."""

from __future__ import annotations

from typing import Any

from sakedge.errors import BackendError, DeltaError

PLANES, TEXT = 1, 19
"""Levels, as `tools/bench_deltas.py` measured: planes of words are noise or nearly nothing, and a
higher level finds no more in them, at fp16 even less; what refers to a prefix is small or text."""


def pack(content: bytes | memoryview, prefix: memoryview | None = None) -> bytes:
    """Compresses bytes to one frame that states how many they are.

    Args:
        content: The bytes.
        prefix: Bytes that its reader has too, and that they may refer to.
    """
    zstd = _zstandard()
    known = {} if prefix is None else {"dict_data": _prefix(zstd, prefix)}
    level = PLANES if prefix is None else TEXT
    compressor = zstd.ZstdCompressor(level=level, write_dict_id=False, **known)
    packed: bytes = compressor.compress(content)
    return packed


def unpack(packed: memoryview, length: int, prefix: memoryview | None = None) -> bytes:
    """The bytes of a frame, of which there must be just `length`: no more is allocated.

    Raises:
        DeltaError: It is no such frame.
    """
    zstd = _zstandard()
    try:
        stated = zstd.get_frame_parameters(packed)
        if stated.content_size != length or stated.dict_id:
            raise DeltaError(
                "a compressed part of the delta is damaged",
                expected=f"{length} bytes in it",
                got=str(stated.content_size),
                remedy="Get the delta again",
            )
        known = {} if prefix is None else {"dict_data": _prefix(zstd, prefix)}
        decompressor = zstd.ZstdDecompressor(max_window_size=_WINDOW, **known)
        content: bytes = decompressor.decompress(
            packed, max_output_size=length, allow_extra_data=False
        )
    except zstd.ZstdError as error:
        raise DeltaError(
            f"a compressed part of the delta is damaged: {error}", remedy="Get the delta again"
        ) from error
    return content


_WINDOW = 1 << 27
"""Bytes; the largest that a frame of one step can want."""


def _prefix(zstd: Any, prefix: memoryview) -> Any:
    return zstd.ZstdCompressionDict(bytes(prefix), dict_type=zstd.DICT_TYPE_RAWCONTENT)


def _zstandard() -> Any:
    try:
        import zstandard
    except ImportError as error:
        raise BackendError(
            "deltas need the package zstandard", remedy="Run: pip install 'sakedge[delta]'"
        ) from error
    return zstandard
