"""What is behind an HTTP address: a camera that goes on, or a file that ends."""

from __future__ import annotations

from base64 import b64encode

_SECONDS = 3.0
_ENDLESS = ("multipart/", "mpegurl", "dash+xml", "text/")
"""In content types: motion JPEG, and playlists, whose own length says nothing of the video's."""


def is_file(url: str) -> bool:
    """Whether a server says that the address is a file of some length.

    It is asked without fetching anything (HEAD); whoever refuses to answer is a camera.
    """
    import ssl
    from urllib.error import URLError
    from urllib.parse import unquote
    from urllib.request import HTTPSHandler, Request, build_opener

    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    user, at, host = authority.rpartition("@")
    request = Request(f"{scheme}://{host}{slash}{path}", method="HEAD")
    if at:
        request.add_header("Authorization", "Basic " + b64encode(unquote(user).encode()).decode())
    # Like FFmpeg, which fetches the file: cameras sign their own certificates.
    opener = build_opener(HTTPSHandler(context=ssl._create_unverified_context()))
    try:
        with opener.open(request, timeout=_SECONDS) as answer:
            kind = answer.headers.get("Content-Type", "").lower()
            length = answer.headers.get("Content-Length", "")
    except (OSError, ValueError, URLError, UnicodeError):
        return False
    return length.isdecimal() and int(length) > 0 and not any(end in kind for end in _ENDLESS)
