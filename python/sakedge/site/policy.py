"""The policy of a site: what it requires, allows and records, in `policy.json`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sakedge.errors import FileFormatError, NewerFormatError, PolicyError, StorageError
from sakedge.files.bounded import read_bounded
from sakedge.format.schema import License, first_problem
from sakedge.format.strict_json import loads
from sakedge.trust.dsse import MAX_SIGNATURES

FILE = "policy.json"
VERSION = 1
MAX_BYTES = 1 << 20
_MOST = 4096
"""Keys of an object, e.g. users."""

Action = Literal["view", "infer", "swap", "rollback", "administer"]
ACTIONS: tuple[Action, ...] = get_args(Action)
Name = Annotated[str, Field(min_length=1, max_length=256)]
Place = Annotated[str, Field(min_length=1, max_length=4096)]
"""A path; one that is not absolute starts in the site's folder."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Licenses(_Strict):
    """Licences as files state them: compared as they are written, but for blanks around them.

    Attributes:
        allow: Those that are allowed; None allows any, also one that is not stated.
        deny: Those that are not.
    """

    allow: Annotated[list[License], Field(max_length=_MOST)] | None = None
    deny: Annotated[list[License], Field(max_length=_MOST)] = Field(default_factory=list)


class Audit(_Strict):
    """What is recorded, and where.

    Attributes:
        folder: Of the log; None is `audit` in the site's folder.
        required: Whether what cannot be recorded is not done either.
        inferences: Whether each image that is run is recorded.
        sync: Whether each entry is on the disk before work goes on.
        rotate_bytes: Size at which a further file begins.
        checkpoint_key: Private key that signs checkpoints; None makes none.
        checkpoint_folder: Where they go; None is `checkpoints` in the site's folder.
        checkpoint_every: Entries between two of them.
    """

    folder: Place | None = None
    required: bool = True
    inferences: bool = False
    sync: Literal["always", "never"] = "always"
    rotate_bytes: Annotated[int, Field(ge=4096, le=1 << 40)] = 16 << 20
    checkpoint_key: Place | None = None
    checkpoint_folder: Place | None = None
    checkpoint_every: Annotated[int, Field(ge=1, le=1 << 40)] = 1000


class Decryption(_Strict):
    """Where the keys of encrypted files are.

    Attributes:
        age_identity: File of age identities.
        gcm_key: File of AES-256 keys.
        environment: Name of an environment variable that holds either.
    """

    age_identity: Place | None = None
    gcm_key: Place | None = None
    environment: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")] | None = None


class Policy(_Strict):
    """A policy. The one of no site requires nothing and allows everybody everything.

    Attributes:
        format_version: Of the file.
        require_signature: What must vouch for a file: an envelope beside it (`dsse`), the update
            repository (`tuf`), or each of them.
        threshold: How many trusted keys must have signed an envelope.
        licenses: Which licences of packs are allowed.
        roles: What each role may do.
        users: The role of each user of the operating system; `*` is everybody else's.
        audit: What is recorded; None keeps no log.
        decryption: Where the keys of encrypted files are.
    """

    format_version: Literal[1] = 1
    require_signature: Literal["none", "dsse", "tuf", "both"] = "none"
    threshold: Annotated[int, Field(ge=1, le=MAX_SIGNATURES)] = 1
    licenses: Licenses = Licenses()
    roles: Annotated[Mapping[Name, list[Action]], Field(max_length=_MOST)] | None = None
    users: Annotated[Mapping[Name, Name], Field(max_length=_MOST)] | None = None
    audit: Audit | None = None
    decryption: Decryption = Decryption()

    @model_validator(mode="after")
    def _check_roles(self) -> Policy:
        if (self.roles is None) != (self.users is None):
            raise ValueError("roles and users are stated together or not at all")
        for user, role in (self.users or {}).items():
            if role not in (self.roles or {}):
                raise ValueError(f"the role {role} of {user} is none of the roles")
        return self

    def requires(self, what: Literal["dsse", "tuf"]) -> bool:
        """Whether that must vouch for a file."""
        return self.require_signature in (what, "both")

    def may(self, user: str, action: Action) -> bool:
        """Whether a user may do something."""
        if self.roles is None or self.users is None:
            return True
        role = self.users.get(user, self.users.get("*"))
        return role is not None and action in self.roles[role]


def read_policy(folder: Path) -> tuple[Policy, bytes]:
    """Reads the policy in a site's folder.

    Returns:
        It, and the bytes of its file.

    Raises:
        PolicyError: There is none, or it is malformed: then nothing is allowed, not everything.
        NewerFormatError: It is of a newer format than this sakedge reads.
        StorageError: It cannot be read.
    """
    path = folder / FILE
    try:
        text = read_bounded(path, MAX_BYTES)
        fields = loads(text, most_bytes=MAX_BYTES, most_keys=_MOST)
        version = fields.get("format_version") if isinstance(fields, dict) else None
        if type(version) is not int:  # true is an int, and equal to 1
            raise ValueError("it states no format_version")
        if version > VERSION:
            raise NewerFormatError(
                f"{path} needs a newer sakedge",
                expected=f"format version {VERSION}",
                got=f"version {version}",
                remedy="Update sakedge",
            )
        return Policy.model_validate(fields), text
    except NewerFormatError:
        raise
    except StorageError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        raise PolicyError(
            f"{folder} is no site: it has no {FILE}",
            remedy='The smallest is {"format_version": 1}; see docs/trust.md',
        ) from None
    except FileFormatError as error:
        reason = error.problem
    except ValidationError as error:
        reason = first_problem(error)
    except ValueError as error:
        reason = str(error)
    raise PolicyError(
        f"{path} is no policy that can be used: {reason}",
        remedy="Correct it; until then nothing is allowed here",
    )
