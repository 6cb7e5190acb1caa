"""Every error that sakedge raises on purpose, one type per kind of cause.

Each message says what is wrong, what was expected, what was found instead and what to do about it.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_LONGEST = 1000
"""Characters of one part of a message. Parts may quote what a file states, which has no bound."""


class _Repr(reprlib.Repr):
    """Shows an array by type and shape: NumPy needs minutes for one of many axes."""

    def repr_ndarray(self, array: Any, level: int) -> str:
        return f"{type(array).__name__} of {array.dtype} {list(array.shape)}"

    def repr_instance(self, value: Any, level: int) -> str:
        is_array = hasattr(type(value), "__array_interface__") and value.ndim
        return self.repr_ndarray(value, level) if is_array else super().repr_instance(value, level)


_repr = _Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = 200


def shown(value: object) -> str:
    """A value for a message: its `repr`, cut where it is long. Never raises."""
    try:
        return _repr.repr(value)
    except Exception:  # of its type's own repr
        return f"a {type(value).__name__}"


class SakedgeError(Exception):
    """Base of all errors that sakedge raises on purpose.

    Args:
        problem: What is wrong, naming the file or argument; no full stop at its end.
        expected: What would have been right.
        got: What was found instead.
        remedy: What the user can do now.

    A part of more than 1000 characters loses its middle.
    """

    def __init__(
        self,
        problem: str,
        *,
        expected: str | None = None,
        got: str | None = None,
        remedy: str | None = None,
    ) -> None:
        self.problem = _cut(problem)
        self.expected = None if expected is None else _cut(expected)
        self.got = None if got is None else _cut(got)
        self.remedy = None if remedy is None else _cut(remedy)
        parts = [self.problem]
        if self.expected is not None:
            parts.append(f"expected {self.expected}")
        if self.got is not None:
            parts.append(f"got {self.got}")
        message = "; ".join(parts)
        super().__init__(f"{message}. {self.remedy}." if self.remedy else f"{message}.")

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the named parts when an error crosses a process boundary."""
        return (
            _rebuild,
            (type(self), self.problem, self.expected, self.got, self.remedy),
        )


def _rebuild(
    kind: type[SakedgeError],
    problem: str,
    expected: str | None,
    got: str | None,
    remedy: str | None,
) -> SakedgeError:
    return kind(problem, expected=expected, got=got, remedy=remedy)


def _cut(text: str) -> str:
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[:half]} … {text[3 - half :]}"


class FileFormatError(SakedgeError):
    """A student file, a part pack or a choice cannot be used. Subclasses name the cause."""


class NotOnnxError(FileFormatError):
    """The file is empty or is not ONNX at all."""


class TruncatedFileError(FileFormatError):
    """The file ends before its own structure says it should."""


class NotAStudentError(FileFormatError):
    """A valid ONNX file that carries no sakedge manifest."""


class NewerFormatError(FileFormatError):
    """The file was written by a newer format version than this sakedge reads."""


class UnsupportedFeatureError(FileFormatError):
    """The file requires a feature that this sakedge does not have."""


class ManifestError(FileFormatError):
    """The manifest is malformed or contradicts the graph."""


class DigestError(FileFormatError):
    """A component's bytes do not match the SHA-256 digest in the manifest."""


class TensorError(FileFormatError):
    """A tensor is missing, has the wrong shape or dtype, or holds NaN or infinity."""


class UnsafePathError(FileFormatError):
    """A file names another file that lies outside its own folder."""


class AdapterMismatchError(FileFormatError):
    """A part pack was made for another student."""


class DeltaError(FileFormatError):
    """A delta is malformed or damaged."""


class WrongBaseError(FileFormatError):
    """A delta was made for another file than the one that it is applied to."""


class KeyFileError(FileFormatError):
    """A file of a key is malformed, or holds another kind of key."""


class EnvelopeError(FileFormatError):
    """A signature envelope is malformed."""


class MetadataError(FileFormatError):
    """The metadata of an update repository are malformed or contradict each other."""


class EncryptionError(FileFormatError):
    """An encrypted file is damaged, or the key that it needs is missing or another one."""


class AuditError(FileFormatError):
    """An audit log or a checkpoint of it is malformed, or the log was changed, cut or reordered."""


class StoreError(FileFormatError):
    """An adapter store is damaged, of another kind, or lacks what was asked for."""


class BundleError(FileFormatError):
    """A bundle, or an installation of one, is malformed or damaged, or cannot be made."""


class ChoiceError(FileFormatError):
    """A file is no choice of model and backend, is damaged, or belongs to another student."""


class RecordError(FileFormatError):
    """A file is no record of a benchmark, or is damaged."""


class CheckpointError(SakedgeError):
    """A training checkpoint or its configuration cannot be converted."""


class TrustError(SakedgeError):
    """A file is not trusted. Subclasses say why."""


class SignatureError(TrustError):
    """A signature is missing, does not fit the file, or is of a key that is not trusted."""


class RevokedError(TrustError):
    """A key or a file was revoked."""


class ExpiredError(TrustError):
    """Metadata of an update repository are older than they may be, by this machine's clock."""


class ReplayError(TrustError):
    """Metadata of an update repository are older than those seen before, or no set of one time."""


class PolicyError(SakedgeError):
    """The site's policy does not allow it, e.g. a licence; or the policy itself is malformed."""


class PermissionDeniedError(PolicyError):
    """The role of the user does not include the action."""


class AdapterRejectedError(SakedgeError):
    """A canary run found an adapter worse than allowed; nothing was changed.

    Attributes:
        report: What was measured, see `sakedge.canary`; None if it came from another process.
    """

    report: Any = None


class DatasetError(SakedgeError):
    """A data set cannot be measured on: something is missing, unreadable or contradicts itself."""


class QualityError(SakedgeError):
    """A quantised student lost more quality than was allowed; nothing was written.

    Attributes:
        verdicts: By runtime and task what was found, see `sakedge.quantizing`.
    """

    verdicts: Mapping[str, Mapping[str, Any]] = MappingProxyType({})


class ImageError(SakedgeError):
    """An image cannot be read or has a shape, dtype or size that is not supported."""


class NumericError(SakedgeError):
    """Numbers overflowed while an image was computed; its result would hold NaN or infinity."""


class SourceError(SakedgeError):
    """A folder, glob, video file, camera or stream cannot be opened or has nothing in it."""


class UnknownNameError(SakedgeError):
    """A name that the student, or this sakedge, does not have. Subclasses say of what."""


class UnknownAdapterError(UnknownNameError):
    """No adapter of that name in the student, or it was not loaded."""


class UnknownTaskError(UnknownNameError):
    """No task of that name in the student, or it was not loaded."""


class UnknownBackendError(UnknownNameError):
    """No backend of that name."""


class OptionError(SakedgeError):
    """An option or argument has a value that is not allowed."""


class AbilityError(SakedgeError):
    """The model that runs the student cannot do what was asked for; the message says why."""


class BackendError(SakedgeError):
    """A backend cannot run here, or failed to compile or run a graph."""


class DeviceError(BackendError):
    """A device cannot be used: no driver, no device, or nothing that runs on it."""


class DeviceMemoryError(DeviceError):
    """A device has too little memory left for what was asked for; the student stays usable."""


class DeviceLostError(DeviceError):
    """A device failed and took all that was on it along; the student cannot run there any more."""


class UnverifiedError(SakedgeError):
    """The file records no quality of what would run, and `config["unverified"]` refuses that."""


class IsaError(SakedgeError):
    """SAKEDGE_ISA names an instruction set that is unknown or that this CPU lacks."""


class InstallError(SakedgeError):
    """A bundle cannot be installed here; what runs goes on."""


class ForkError(SakedgeError):
    """A student was used in a process forked after it was loaded."""


class ClosedError(SakedgeError):
    """A student was used after it was closed."""


class StorageError(SakedgeError):
    """A file or directory cannot be read or written: missing, no permission, or no space left."""
