"""Credentials of an address appear nowhere, and cameras can still be told apart."""

from __future__ import annotations

import logging
import string
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sakedge.errors import SakedgeError
from sakedge.sources import Reconnect, Stream, open_source
from sakedge.sources.address import check_url, display_name

SECRETS = st.text(st.characters(exclude_categories=[]), min_size=6, max_size=24).filter(
    lambda secret: not set(secret) <= set("/.?&…")
)
PLACES = [
    "rtsp://admin:{}@camera/main",
    "rtsp://{}@camera/main",
    "RTSP://{}:{}@[fe80::1]:554/main",
    "http://admin:{}@camera:8080/video.cgi?channel=1",
    "http://camera/video.cgi?user=admin&password={}",
    "http://camera/video.cgi?channel=1&token={}&subtype=0",
    "http://camera/video?auth={}#fragment",
    "http://camera/video#{}",
    "rtsp://camera:554/user=admin_password={}_channel=1_stream=0.sdp",
    "rtsp://camera/user=admin&password={}&channel=1",
    "rtsp://camera/live;password={}",
    "rtsp://camera/password/{}/live",
    "rtsp://camera/live/admin:{}/main",
    "rtsp://admin:{}@one@two@camera/main",
    "x://admin:{}@camera",
    "://admin:{}@camera",
    "admin:{}@camera/main",
    "camera/user=admin_password={}",
    "rtsp:/admin:{}@camera",
]


@given(secret=SECRETS, place=st.sampled_from(PLACES))
def test_a_secret_of_any_characters_is_never_shown(secret: str, place: str) -> None:
    address = place.replace("{}", secret)
    shown = display_name(address)
    hidden = place.replace("{}", "")
    assert secret not in shown or secret in hidden
    try:
        check_url(address)
    except SakedgeError as error:
        assert secret not in str(error) or secret in hidden


@given(secret=st.text(string.ascii_letters + string.digits + string.punctuation, min_size=6))
def test_no_part_of_a_secret_is_shown_where_its_own_characters_split_the_url(secret: str) -> None:
    shown = display_name(f"rtsp://admin:{secret}@camera/main")
    assert shown in ("rtsp://camera/main", "rtsp://…")


@given(text=st.text(st.characters(exclude_categories=[])))
def test_no_address_makes_showing_it_fail(text: str) -> None:
    for address in (text, f"rtsp://{text}", f"rtsp://[{text}", f"{text}://x"):
        assert isinstance(display_name(address), str)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://me:secret@cam3:554/main", "rtsp://cam3:554/main"),
        ("rtsp://cam3/Streaming/Channels/101", "rtsp://cam3/Streaming/Channels/101"),
        ("rtsp://cam3/Streaming/Channels/201", "rtsp://cam3/Streaming/Channels/201"),
        ("rtsp://me:p@[::1]:554/h264Preview_01_main", "rtsp://[::1]:554/h264Preview_01_main"),
        (
            "rtsp://u:p@nvr/cam/realmonitor?channel=2&subtype=0",
            "rtsp://nvr/cam/realmonitor?channel=2&subtype=0",
        ),
        ("http://nvr/video.cgi?camera=3&pwd=x", "http://nvr/video.cgi?camera=3&…"),
        ("udp://@239.0.0.1:1234", "udp://239.0.0.1:1234"),
        ("rtsps://nvr:7441/aBcD3fGhIjKlMnOp", "rtsps://nvr:7441/…"),
        ("clips/a@b.mp4", "clips/a@b.mp4"),
        (r"C:\clips\a@b.mp4", r"C:\clips\a@b.mp4"),
    ],
)
def test_what_tells_cameras_apart_is_shown(address: str, shown: str) -> None:
    assert display_name(address) == shown


@pytest.mark.timeout(60)
def test_no_error_name_or_log_of_a_stream_holds_credentials(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        for address in (
            "rtsp://admin:s3cr3tword@127.0.0.1:9/main",
            "http://127.0.0.1:9/video.cgi?user=admin&password=s3cr3tword",
            "http://127.0.0.1:9/user=admin_password=s3cr3tword",
        ):
            source = open_source(address, Reconnect(0.01, 0.01, give_up_after=0))
            stream = Stream(source, list)
            assert list(stream) == []
            (report,) = stream.errors
            shown = f"{report.source} {report.error} {report.error!r} {vars(report.error)}"
            assert "s3cr3tword" not in shown + repr(vars(source)["_name"]) + caplog.text


CODE = """
import sys
{first}
from sakedge.sources import Reconnect, open_source
for address in sys.argv[1:]:
    try:
        for frame in open_source(address, Reconnect(give_up_after=0)):
            print(frame.error)
    except Exception as error:
        print(error)
"""


@pytest.mark.timeout(60)
@pytest.mark.parametrize("first", ["", "import cv2"])
def test_nothing_that_opencv_and_ffmpeg_print_holds_credentials(first: str) -> None:
    addresses = [
        "rtsp://admin:s3cr3tword@127.0.0.1:9/main",
        "http://admin:s3cr3tword@127.0.0.1:9/%d.jpg",
        "http://127.0.0.1:9/video.cgi?password=s3cr3tword",
        "rtmp://127.0.0.1:9/live/s3cr3tword",
        "rtsp://admin:s3cr3tword#x@127.0.0.1:9/main",
        "s3cr3tword:x@127.0.0.1",
    ]
    command = [sys.executable, "-c", CODE.format(first=first), *addresses]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    printed = done.stdout.replace("/live/s3cr3tword", "")  # nothing tells it from a name
    assert "s3cr3tword" not in printed + done.stderr
    assert len(done.stdout.splitlines()) == len(addresses)
