"""The statements about a bill's packages, as a document in CycloneDX that refers to the bill."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING

from sakedge.bundling.library import needed
from sakedge.bundling.vex.bill import Bill, Listed
from sakedge.bundling.vex.statements import STATES, Package, Statement

if TYPE_CHECKING:
    from cyclonedx.model.vulnerability import Vulnerability

VEX = "vex.cdx.json"
_SPACE = uuid.UUID("0f0dd2a5-7a0c-4a1e-8f0e-52cdbd60a7b4")
_STATUS = {"exploitable": "affected", "in_triage": "unknown", "not_affected": "unaffected"}


@dataclass(frozen=True)
class Finding:
    """A statement that concerns a package as it is listed.

    Attributes:
        package: The package.
        statement: What is stated.
        reviewed: When that was last looked at.
    """

    package: Listed
    statement: Statement
    reviewed: date


def find(bill: Bill, statements: Mapping[str, Package]) -> Sequence[Finding]:
    """The statements that concern a bill's packages, what matters most first.

    Raises:
        BundleError: A package that has statements has no version that can be compared.
    """
    found = [
        Finding(each, statement, known.reviewed)
        for each in bill.packages
        if (known := statements.get(each.name)) is not None
        for statement in known.statements
        if statement.concerns(each.version)
    ]
    return sorted(found, key=lambda each: STATES.index(each.statement.state))


def make_vex(bill: Bill, statements: Mapping[str, Package]) -> bytes:
    """The document, as JSON. Of the same bill and statements the same bytes.

    Its time is the day on which statements were last looked at, and not when it was written.

    Raises:
        BundleError: The library for it is not installed, or a version cannot be compared.
    """
    with needed("writing a VEX document"):
        from cyclonedx.model import ExternalReference, ExternalReferenceType, XsUri
        from cyclonedx.model.bom import Bom
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.output.json import JsonV1Dot6
    found = find(bill, statements)
    reviewed = max((each.reviewed for each in statements.values()), default=date(1980, 1, 1))
    bom = Bom()
    bom.metadata.timestamp = _midnight(reviewed)
    bom.metadata.component = Component(
        name=bill.name,
        type=ComponentType.APPLICATION,
        bom_ref=bill.name,
        external_references=[
            ExternalReference(type=ExternalReferenceType.BOM, url=XsUri(bill.link))
        ],
    )
    for each in found:
        for advisory, url in each.statement.advisories.items():
            bom.vulnerabilities.add(_vulnerability(each, advisory, url))
    said = [f"{each.package.link} {each.statement.model_dump_json()}" for each in found]
    bom.serial_number = uuid.uuid5(_SPACE, "\n".join([bill.link, str(reviewed), *said]))
    return JsonV1Dot6(bom).output_as_string(indent=2).encode() + b"\n"


def _vulnerability(found: Finding, advisory: str, url: str) -> Vulnerability:
    from cyclonedx.model import XsUri
    from cyclonedx.model.impact_analysis import (
        ImpactAnalysisAffectedStatus,
        ImpactAnalysisJustification,
        ImpactAnalysisResponse,
        ImpactAnalysisState,
    )
    from cyclonedx.model.vulnerability import (
        BomTarget,
        BomTargetVersionRange,
        Vulnerability,
        VulnerabilityAdvisory,
        VulnerabilityAnalysis,
        VulnerabilitySource,
    )

    said, package = found.statement, found.package
    analysis = VulnerabilityAnalysis(
        state=ImpactAnalysisState(said.state),
        justification=said.justification and ImpactAnalysisJustification(said.justification),
        responses=[ImpactAnalysisResponse(said.response)] if said.response else None,
        detail=said.detail,
        last_updated=_midnight(found.reviewed),
    )
    status = ImpactAnalysisAffectedStatus(_STATUS[said.state])
    version = BomTargetVersionRange(version=package.version, status=status)
    return Vulnerability(
        bom_ref=f"{advisory} {package.name} {package.version}",
        id=advisory,
        source=VulnerabilitySource(url=XsUri(url)),
        advisories=[VulnerabilityAdvisory(url=XsUri(url))],
        recommendation=said.recommendation,
        analysis=analysis,
        affects=[BomTarget(ref=package.link, versions=[version])],
    )


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=timezone.utc)
