"""The actions that a log records: one vocabulary for whoever writes and whoever reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Action:
    """One action.

    Attributes:
        about: What was done.
        subject: What it was done to.
        change: What the old and the new digest are of; empty where there are none.
    """

    about: str
    subject: str
    change: str = ""


_SLOT, _PART = "the slot, e.g. `adapters.sam`", "the part"

ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "begin": Action("the log begins", "the log's folder"),
        "rotate": Action("a further file of the log begins", "the file before"),
        "recovered": Action("what a power cut left of a line was closed", "the file"),
        "checkpoint": Action("a checkpoint was signed", "its origin"),
        "export": Action("the log was copied", "where to"),
        "load": Action("a student was loaded", "its file", "the student"),
        "unload": Action("a student was closed", "its file", "the student"),
        "swap": Action("an adapter took another's place", _SLOT, _PART),
        "add": Action("an adapter was added", _SLOT, _PART),
        "remove": Action("an adapter was removed", _SLOT, _PART),
        "rollback": Action("an adapter before came back", _SLOT, _PART),
        "refuse": Action("something was refused", "what was asked for", "what was offered"),
        "watch": Action("the watch after an exchange ended", _SLOT, _PART),
        "recheck": Action("the golden images ran again", "the student", _PART),
        "store.create": Action("a store was made", "its folder"),
        "store.add": Action("a pack came into the store", "its name and version", "the file"),
        "store.activate": Action("a version became the active one", "its name", "the file"),
        "store.deactivate": Action("a name has no active version", "the name", "the file"),
        "store.rollback": Action("the state before came back", "the name", "the file"),
        "store.gc": Action("a version left the store", "its name and version", "the file"),
        "store.export": Action("a pack was copied out", "its name and version", "the file"),
        "cache.fill": Action("compiled graphs came into the cache", "their file", "the file"),
        "key.new": Action("a key was made", "its id"),
        "key.trust": Action("a key became trusted", "its id"),
        "key.revoke": Action("a key was revoked", "its id"),
        "key.sign": Action("a file was signed", "the file", "the file"),
        "repo.init": Action("an update repository was made", "its folder"),
        "repo.publish": Action("a file was published", "its name", "the file"),
        "repo.revoke": Action("a file was withdrawn", "its name", "the file"),
        "repo.rotate": Action("a role's key was replaced", "the role", "the key"),
        "repo.refresh": Action("metadata were renewed or read", "the repository"),
        "repo.forget": Action("the latest time seen was forgotten", "the repository's state"),
        "bundle.install": Action("a version of sakedge was installed", "the version"),
        "bundle.rollback": Action("the version before runs again", "the version"),
        "bundle.uninstall": Action("sakedge was removed", "the version"),
        "policy.load": Action("a policy came into force", "its file", "the policy"),
        "policy.change": Action("a policy was changed", "its file", "the policy"),
        "infer": Action("an image was run", "the student", "pixels, and results"),
        "view": Action("a result was read", "the student", "pixels, and results"),
    }
)
"""Name → what it means. `append` refuses others."""
OWN = ("begin", "rotate", "recovered")
"""Those that the log itself records, and nobody else."""
