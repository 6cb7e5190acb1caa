"""The packages of a bill of materials, and what a document of its own calls them."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sakedge.bundling.archive import SUFFIX, unpacked
from sakedge.bundling.installer.building import OWN
from sakedge.bundling.installer.place import Place
from sakedge.bundling.library import needed
from sakedge.bundling.sbom import SBOM
from sakedge.errors import BundleError
from sakedge.files.atomic import is_folder
from sakedge.files.bounded import read_bounded
from sakedge.files.paths import check_path
from sakedge.format.schema import first_problem
from sakedge.format.strict_json import loads

_MAX = 1 << 24
_MOST = 1000
_PYPI = "pkg:pypi/"
_IN_A_FRAGMENT = ":/?@!$&'()*+,;=~"
"""What stands for itself behind the # of an address (RFC 3986)."""

Text = Annotated[str, Field(min_length=1, max_length=1000)]


@dataclass(frozen=True)
class Listed:
    """A package in a bill.

    Attributes:
        name: Its name, normalised.
        version: Its version.
        link: Its address: of the bill, and of the package in it.
    """

    name: str
    version: str
    link: str


@dataclass(frozen=True)
class Bill:
    """A bill of materials.

    Attributes:
        name: Of what it lists.
        link: Its address (BOM-Link).
        packages: Those of PyPI, by name and version.
    """

    name: str
    link: str
    packages: tuple[Listed, ...]


class _Component(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: Text
    version: Text | None = None
    purl: Text | None = None
    ref: Text | None = Field(default=None, alias="bom-ref")


class _Metadata(BaseModel):
    component: _Component


class _Document(BaseModel):
    form: Literal["CycloneDX"] = Field(alias="bomFormat")
    serial: Annotated[
        str,
        Field(
            alias="serialNumber",
            pattern=r"^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        ),
    ]
    version: Annotated[int, Field(ge=1, le=1 << 31, strict=True)] = 1
    metadata: _Metadata
    components: tuple[_Component, ...] = ()


def parse_bill(content: bytes, name: str) -> Bill:
    """Reads a bill of materials.

    Args:
        content: A file in CycloneDX's JSON.
        name: Of the file, for errors.

    Raises:
        BundleError: It is none.
    """
    with needed("reading a bill of materials"):
        from packaging.utils import canonicalize_name
    try:
        found = _Document.model_validate(loads(content, most_bytes=_MAX, most_keys=_MOST))
        link = f"urn:cdx:{found.serial.removeprefix('urn:uuid:')}/{found.version}"
        packages: dict[str, Listed] = {}
        for each in found.components:
            if each.version and each.ref and (each.purl or "").startswith(_PYPI):
                package = str(canonicalize_name(each.name))
                if package in packages:
                    raise ValueError(f"{package} is there twice")
                ref = quote(each.ref, safe=_IN_A_FRAGMENT)
                packages[package] = Listed(package, each.version, f"{link}#{ref}")
    except ValidationError as error:
        reason = first_problem(error)
    except ValueError as error:
        reason = str(error)
    else:
        ordered = tuple(packages[package] for package in sorted(packages))
        return Bill(found.metadata.component.name, link, ordered)
    raise BundleError(
        f"{name} is no bill of materials: {reason}",
        expected=f"{SBOM} of a bundle, in CycloneDX's JSON",
    )


def read_bill(what: Path) -> Bill:
    """The bill of a bundle, of what is installed in a prefix, or a bill itself.

    Raises:
        BundleError: It is none of these, or has no bill.
        StorageError: It cannot be read.
    """
    check_path(what)
    is_tar = what.suffix == SUFFIX and what.is_file()
    with unpacked(what) if is_tar else nullcontext(what) as place:
        if (place / "versions").is_dir():
            path = Place.at(place).current / OWN / SBOM
        else:
            path = place / SBOM if is_folder(place) else place
        if path != what and not path.is_file():
            raise BundleError(
                f"{what} has no {SBOM}",
                expected="a bundle, a prefix in which one is installed, or the bill of one",
            )
        return parse_bill(read_bounded(path, _MAX, BundleError), str(what))
