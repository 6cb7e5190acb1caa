"""The bill of materials, CycloneDX: packages by wheel and digest, and what is inside of ours."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from sakedge.bundling.library import needed
from sakedge.bundling.licences import Licence
from sakedge.bundling.own_wheel import NAME
from sakedge.bundling.wheel import Wheel

if TYPE_CHECKING:
    from cyclonedx.model.component import Component
    from cyclonedx.model.license import License

SBOM = "sbom.cdx.json"
_SPACE = uuid.UUID("c5a5e3e0-6f43-4cc5-9a60-3b8fb7f0a1de")
_NO_TIME = datetime(1980, 1, 1, tzinfo=timezone.utc)
"""The first one that a zip can state. The same lock makes the same bytes, whenever that is."""
_LIBRARY = re.compile(rb"__pybind11_internals_v\d+_[a-z0-9_]*?(libstdcpp|libcpp)")
_LIBRARIES = {
    b"libstdcpp": ("libstdc++", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    b"libcpp": ("libc++", "Apache-2.0 WITH LLVM-exception"),
}


def make_sbom(
    name: str, wheels: Sequence[Wheel], licences: Sequence[Licence], files: Mapping[str, str]
) -> bytes:
    """The bill, as JSON.

    Args:
        name: Of the bundle.
        wheels: The packages.
        licences: Of packages and files.
        files: Student, packs and configuration by path → SHA-256.

    Raises:
        BundleError: The library for it is not installed.
    """
    with needed("writing a bill of materials"):
        from cyclonedx.model.bom import Bom
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.output.json import JsonV1Dot6
    stated = {each.name: each.stated for each in licences}
    bom = Bom()
    bom.metadata.timestamp = _NO_TIME
    bom.metadata.component = root = Component(
        name=name, type=ComponentType.APPLICATION, bom_ref=name
    )
    digests = "".join(sorted([*(wheel.sha256 for wheel in wheels), *files.values()]))
    bom.serial_number = uuid.uuid5(_SPACE, f"{name} {digests}")
    packages = {wheel.name: _package(wheel, stated[wheel.name]) for wheel in wheels}
    own = next(wheel for wheel in wheels if wheel.name == NAME)
    data = [_file(path, digest, stated.get(path, "")) for path, digest in files.items()]
    inside = _inside(own)
    for component in (*packages.values(), *data, *inside):
        bom.components.add(component)
    bom.register_dependency(root, [packages[NAME], *data])
    for wheel in wheels:
        needs = [packages[each] for each in _needs(wheel) if each in packages]
        linked = inside if wheel is own else []
        bom.register_dependency(packages[wheel.name], [*needs, *linked])
    return JsonV1Dot6(bom).output_as_string(indent=2).encode() + b"\n"


def _package(wheel: Wheel, licence: str) -> Component:
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    purl = PackageURL("pypi", name=wheel.name, version=wheel.version)
    return Component(
        name=wheel.name,
        version=wheel.version,
        type=ComponentType.LIBRARY,
        bom_ref=str(purl),
        purl=purl,
        licenses=_licences(licence),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=wheel.sha256)],
        description=wheel.path.name,
    )


def _file(path: str, sha256: str, licence: str) -> Component:
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentType

    is_model = path.startswith(("student/", "adapters/")) and not path.endswith(".json")
    return Component(
        name=path,
        type=ComponentType.MACHINE_LEARNING_MODEL if is_model else ComponentType.FILE,
        bom_ref=path,
        licenses=_licences(licence),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)],
    )


def _inside(own: Wheel) -> list[Component]:
    """What is compiled into our modules; of which version they do not say."""
    from cyclonedx.model.component import Component, ComponentType

    found: dict[str, str] = {}
    for name in own.names:
        content = own.read_file(name) if name.endswith(".so") else b""
        if b"pybind11" in content:
            found["pybind11"] = "BSD-3-Clause"
        library = _LIBRARY.search(content)
        if library is not None:
            found.update([_LIBRARIES[library[1]]])
    return [
        Component(name=name, type=ComponentType.LIBRARY, bom_ref=name, licenses=_licences(licence))
        for name, licence in found.items()
    ]


def _licences(text: str) -> list[License]:
    from cyclonedx.contrib.license.factories import LicenseFactory

    return [LicenseFactory().make_from_string(text)] if text else []


def _needs(wheel: Wheel) -> list[str]:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    given = wheel.metadata.get_all("Requires-Dist") or ()
    return sorted({str(canonicalize_name(Requirement(each).name)) for each in given})
