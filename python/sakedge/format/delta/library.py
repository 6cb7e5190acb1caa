"""The zstandard package, and how frames of it are made and read here."""

from __future__ import annotations

from typing import Any

from sakedge.errors import BackendError, DeltaError
from sakedge.format.delta.planes import Width

LEVELS: dict[Width, int] = {1: 19, 2: 9, 4: 1}
"""By width of a word, as `tools/bench_deltas.py` measured. Of int8 and of headers a high level
takes off a third more; of floats' planes, whose low bytes are noise, a fiftieth at a hundred times
the time. Unpacking is as fast after any."""


def pack(content: memoryview, width: Width, prefix: memoryview | None = None) -> bytes:
    """Compresses bytes to one frame that states how many they are.

    Args:
        content: The bytes: planes of words.
        width: Bytes of a word.
        prefix: Bytes that its reader has too, and that they may refer to.
    """
    zstd = _zstandard()
    known = {} if prefix is None else {"dict_data": _prefix(zstd, prefix)}
    compressor = zstd.ZstdCompressor(level=LEVELS[width], write_dict_id=False, **known)
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
