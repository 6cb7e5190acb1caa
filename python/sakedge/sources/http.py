"""What is behind an HTTP address: a camera that goes on, or a file that ends."""

from __future__ import annotations

from base64 import b64encode
from email.message import Message

_SECONDS = 3.0
_ENDLESS = ("multipart/", "mpegurl", "dash+xml", "text/")
"""In content types: motion JPEG, and playlists, whose own length says nothing of the video's."""
_NO_HEAD = (405, 501)
"""What servers say that know no HEAD."""


def is_file(url: str) -> bool:
    """Whether a server says that the address is a file of some length.

    Nothing is fetched, for the server is asked by HEAD, or else left after its first lines. Who
    does not answer is a camera.
    """
    from urllib.error import HTTPError

    try:
        try:
            headers = _headers(url, "HEAD")
        except HTTPError as error:
            if error.code not in _NO_HEAD:
                return False
            headers = _headers(url, "GET")
    except (OSError, ValueError):  # all that urllib raises
        return False
    kind = headers.get("Content-Type", "").lower()
    length = headers.get("Content-Length", "")
    return length.isdecimal() and int(length) > 0 and not any(word in kind for word in _ENDLESS)


def _headers(url: str, method: str) -> Message:
    import ssl
    from urllib.parse import unquote
    from urllib.request import HTTPSHandler, Request, build_opener

    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    user, at, host = authority.rpartition("@")
    request = Request(f"{scheme}://{host}{slash}{path}", method=method)
    if at:
        request.add_header("Authorization", "Basic " + b64encode(unquote(user).encode()).decode())
    # Like FFmpeg, which fetches the file: cameras sign their own certificates.
    opener = build_opener(HTTPSHandler(context=ssl._create_unverified_context()))
    with opener.open(request, timeout=_SECONDS) as answer:
        headers: Message = answer.headers
        return headers
