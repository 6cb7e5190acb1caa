"""Clocks that are wrong: the box's, before and ahead, and the office's."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone

import pytest
from tests.tuf.conftest import Site

from sakedge.errors import ExpiredError, OptionError, ReplayError
from sakedge.trust.tuf.client import Client
from sakedge.trust.tuf.times import from_text, to_text

RESET = datetime(1970, 1, 1, tzinfo=timezone.utc)


def test_a_reset_clock_does_not_keep_a_box_from_what_was_just_signed(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.box_clock.now = RESET
    with caplog.at_level(logging.WARNING, "sakedge"):
        site.box.refresh(site.repository)
    assert site.box.check("a.bin", b"content of a.bin")
    assert "1970-01-01T00:00:00Z, but it was already 2026-11-26" in caplog.text


def test_a_reset_clock_does_not_make_expired_metadata_young(site: Site) -> None:
    """The clock showed a time after the expiry once; only looking was enough."""
    site.box.refresh(site.repository)
    site.box_clock.forward(401)
    with pytest.raises(ExpiredError):
        site.box.check("a.bin", b"content of a.bin")
    site.box_clock.now = RESET
    with pytest.raises(
        ExpiredError, match="seen or signed before, while this machine's clock says 1970"
    ):
        site.box.check("a.bin", b"content of a.bin")
    with pytest.raises(ExpiredError):
        site.box.refresh(site.repository)


def test_a_box_without_a_clock_knows_when_was_signed(site: Site) -> None:
    site.box_clock.now = RESET
    site.office_clock.forward(500)
    site.office.refresh()
    site.box.refresh(site.repository)
    assert site.box.trusted.now(RESET) == site.office_clock.now


@pytest.mark.parametrize("may_be_expired", [False, True])
def test_time_goes_on_while_the_box_is_only_used(site: Site, may_be_expired: bool) -> None:
    site.box.refresh(site.repository)
    for _ in range(4):
        site.box_clock.forward(90)
        site.box.check("a.bin", b"content of a.bin", may_be_expired=may_be_expired)
    reached = site.box_clock.now
    site.box_clock.now = RESET
    assert site.box.trusted.now(RESET) == reached


def test_a_clock_that_was_ahead_is_set_right_and_its_time_forgotten(site: Site) -> None:
    site.box.refresh(site.repository)
    right = site.box_clock.now
    site.box_clock.forward(3650)
    with pytest.raises(ExpiredError, match="ahead"):
        site.box.check("a.bin", b"content of a.bin")
    site.box_clock.now = right
    with pytest.raises(ExpiredError, match="repo forget-time"):
        site.box.check("a.bin", b"content of a.bin")
    site.box.forget_time()
    assert site.box.check("a.bin", b"content of a.bin")


def test_forgetting_the_time_forgets_no_version(site: Site) -> None:
    old = site.copy("old")
    site.office.refresh()
    site.box.refresh(site.repository)
    site.box.forget_time()
    with pytest.raises(ReplayError):
        site.box.refresh(old)


def test_an_office_whose_clock_went_back_signs_nothing(site: Site) -> None:
    site.office_clock.forward(-1)
    with pytest.raises(ReplayError, match="clock is behind"):
        site.office.refresh()


def test_an_office_whose_clock_was_ahead_recovers_with_a_new_timestamp_key(site: Site) -> None:
    right = site.office_clock.now
    site.office_clock.forward(500)
    site.office.refresh()
    site.box.refresh(site.repository)
    site.office_clock.now = right + timedelta(days=1)
    with pytest.raises(ReplayError, match="rotate timestamp"):
        site.office.refresh()
    site.office.rotate("timestamp")
    site.office.refresh()
    site.box.refresh(site.repository)
    assert site.box.trusted.now(right) == site.office_clock.now
    assert site.box.check("a.bin", b"content of a.bin")


def test_a_box_without_writing_permission_checks_all_the_same(site: Site) -> None:
    site.box.refresh(site.repository)
    (site.place / "state" / "lock").unlink()
    (site.place / "state" / "lock").mkdir()  # what root may not write either
    site.box_clock.forward(30)
    assert site.box.check("a.bin", b"content of a.bin")


@pytest.mark.parametrize(
    "clock",
    [None, 5, lambda: None, lambda: datetime(2026, 1, 1), lambda: RESET.replace(year=9999)],
)
def test_what_is_no_clock_is_refused(site: Site, clock: object) -> None:
    with pytest.raises(OptionError, match="no clock"):
        Client(site.root, site.place / "state", clock)  # type: ignore[arg-type]


def test_times_are_read_as_they_are_written() -> None:
    for time in (RESET, datetime(1, 1, 1, tzinfo=timezone.utc), datetime.max):
        aware = time.replace(tzinfo=timezone.utc, microsecond=0)
        assert from_text(to_text(aware)) == aware
