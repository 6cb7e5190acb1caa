"""Every form in which a caller hands an image over, and every object that is none."""

from __future__ import annotations

import io
import mmap
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.support.encoded import save
from tests.support.interrupts import interrupted_at

from sakedge.errors import ImageError, SakedgeError, StorageError
from sakedge.images import Picture, is_one_image, read
from sakedge.images.blob import open_regular

RGB = np.random.default_rng(0).integers(0, 256, (40, 56, 3), np.uint8)
PNG = save(RGB, "PNG")


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, io.BytesIO])
def test_encoded_bytes_and_file_objects_are_images(kind: Any) -> None:
    image = kind(PNG)
    assert is_one_image(image)
    picture = read(image)
    np.testing.assert_array_equal(picture.pixels, RGB)
    assert picture.source is None


def test_a_file_object_is_read_from_its_position_and_stays_open(tmp_path: Path) -> None:
    path = tmp_path / "archive"
    path.write_bytes(b"header" + PNG)
    with path.open("rb") as file:
        file.seek(6)
        np.testing.assert_array_equal(read(file).pixels, RGB)
        assert not file.closed
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        mapped.seek(6)
        np.testing.assert_array_equal(read(mapped).pixels, RGB)


class _Broken(io.BytesIO):
    def __init__(self, answer: object) -> None:
        super().__init__(PNG)
        self._answer = answer

    def read(self, size: int | None = -1, /) -> Any:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class _Pipe(io.BytesIO):
    def seek(self, *_: object) -> int:
        raise io.UnsupportedOperation("seek")


@pytest.mark.parametrize(
    ("file", "error", "words"),
    [
        (io.StringIO("text"), ImageError, "binary file"),
        (_Pipe(PNG), ImageError, "cannot seek"),
        (_Broken(None), ImageError, "no bytes"),
        (_Broken("text"), ImageError, "no bytes"),
        (_Broken(b"x" * 1000), ImageError, "no bytes"),
        (_Broken(b""), ImageError, "not an image"),
        (_Broken(OSError(5, "Input/output error")), StorageError, "Input/output error"),
        (_Broken(RuntimeError("mine")), ImageError, "mine"),
    ],
)
def test_a_file_object_that_misbehaves_is_refused(
    file: Any, error: type[SakedgeError], words: str
) -> None:
    with pytest.raises(error, match=words):
        read(file)


def test_a_closed_file_object_is_refused() -> None:
    file = io.BytesIO(PNG)
    file.close()
    with pytest.raises(ImageError, match="closed"):
        read(file)


class _Raising:
    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __fspath__(self) -> str:
        raise self._error

    def __array__(self, *_: object) -> Any:
        raise self._error


class _Answering(os.PathLike):  # type: ignore[type-arg]
    def __init__(self, path: Any) -> None:
        self._path = path

    def __fspath__(self) -> Any:
        return self._path


@pytest.mark.parametrize(
    "image",
    [
        *(None, 3, 1.5, [], [RGB], (RGB,), {}, {1}, object(), range(3), (x for x in [RGB])),
        *(_Raising(RuntimeError("mine")), _Raising(MemoryError()), _Answering(b"part.png")),
        *(_Answering(3), memoryview(RGB)[::2], b"no image"),
    ],
)
def test_what_is_no_image_is_an_image_error(image: Any) -> None:
    with pytest.raises(ImageError):
        read(image)


@pytest.mark.parametrize("path", ["a\0b.png", "\ud800.png", "x" * 5000, "/tmp"])
def test_paths_that_cannot_be_read_are_storage_errors(path: str) -> None:
    with pytest.raises(StorageError):
        read(path)


def test_the_kernels_files_are_empty_and_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "open")
    with pytest.raises(ImageError, match="/proc/self/mem is empty"):
        read("/proc/self/mem")


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo.png"
    os.mkfifo(fifo)
    for path in (fifo, Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(StorageError, match="no regular file"):
            read(path)


class _Override(np.ndarray):
    def __array_function__(self, *_: object, **__: object) -> Any:
        raise RuntimeError("array function")

    def __array_ufunc__(self, *_: object, **__: object) -> Any:
        raise RuntimeError("ufunc")

    def __getitem__(self, key: Any) -> Any:
        raise KeyError(key)

    @property
    def shape(self) -> Any:
        return (10**9, 10**9, 3)

    @property
    def dtype(self) -> Any:
        return np.dtype(object)

    def view(self, *_: object) -> Any:
        raise RuntimeError("view")


def test_a_subclass_of_ndarray_is_its_memory_whatever_it_overrides() -> None:
    np.testing.assert_array_equal(read(RGB.view(_Override)).pixels, RGB)
    matrix = RGB[..., 0].view(np.matrix)
    np.testing.assert_array_equal(read(matrix).pixels[..., 1], RGB[..., 0])
    np.testing.assert_array_equal(read(np.ma.masked_array(RGB)).pixels, RGB)
    with pytest.raises(ImageError, match="masked pixels"):
        read(np.ma.masked_array(RGB, mask=RGB > 9))


@pytest.mark.parametrize("kind", ["O", "U3", "S2", "M8[s]", "V3", "c8", "i4", "u4", "u1,u1"])
def test_arrays_of_other_types_are_refused(kind: str) -> None:
    with pytest.raises(ImageError, match="dtype"):
        read(np.zeros((4, 4), kind))


@pytest.mark.skipif(not hasattr(np.dtypes, "StringDType"), reason="NumPy 1 has none")
def test_arrays_of_strings_are_refused() -> None:
    with pytest.raises(ImageError, match="dtype"):
        read(np.full((4, 4), "x", dtype=np.dtypes.StringDType()))


@pytest.mark.parametrize("value", [1e300, -1e300, np.nan, -1e-30])
def test_floats_that_are_no_pixels_are_refused_without_a_warning(value: float) -> None:
    with pytest.raises(ImageError):
        read(np.full((3, 4), value))


def test_an_array_that_another_thread_writes_to_is_checked_as_it_is_read() -> None:
    array = np.full((64, 96, 3), 0.5, np.float32)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            array[:] = np.nan
            array[:] = 0.5

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(500):
            try:
                assert not np.isnan(read(array).pixels).any()
            except ImageError:
                continue
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    "pixels",
    [
        *(None, "text", RGB[..., 0], RGB.astype(float), RGB[..., :2], RGB.view(_Override)),
        *(np.full((2, 2, 3), np.nan, np.float32), np.full((2, 2, 3), 2, np.float32), RGB[:0]),
    ],
)
def test_a_picture_of_no_pixels_is_refused(pixels: Any) -> None:
    with pytest.raises(ImageError):
        read(Picture(pixels))


def test_images_are_read_from_many_threads(tmp_path: Path) -> None:
    images: list[Any] = [PNG, save(RGB, "TIFF", compression="tiff_lzw"), save(RGB, "BMP"), RGB]
    images.append(tmp_path / "part.png")
    images[-1].write_bytes(PNG)
    with ThreadPoolExecutor(8) as pool:
        for picture in pool.map(read, images * 40):
            np.testing.assert_array_equal(picture.pixels, RGB)


def test_a_pil_image_that_raises_anything_is_an_image_error() -> None:
    class Mine(Image.Image):
        size = (3, 4)
        width, height = size

        def load(self) -> Any:
            raise KeyError("mine")

    with pytest.raises(ImageError, match="mine"):
        read(Mine())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_while_a_file_is_opened_stays_one(tmp_path: Path) -> None:
    """At any instruction: once a file that was closed twice made an error of the image of it."""
    path = tmp_path / "part.png"
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(path)
    step = 1
    while interrupted_at(step, lambda: open_regular(str(path)).close()):
        step += 1
    assert step > 20
