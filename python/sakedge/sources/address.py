"""Addresses of network streams: which are allowed, and how they are shown without credentials."""

from __future__ import annotations

import re

from sakedge.errors import SourceError

SCHEMES = ("http", "https", "rtmp", "rtmps", "rtp", "rtsp", "rtsps", "srt", "tcp", "udp")
"""What FFmpeg is asked to open. It knows more, some of which read local files."""

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+(%25\w+)?\]|[\w.-]+)(:\d{1,5})?")
_PLAIN_PATH = re.compile(r"[\w./~+-]*")
_NUMBERING = re.compile(r"(channel|ch|camera|cam|stream|subtype|profile)=\d{1,3}", re.IGNORECASE)
# Cameras and recorders are told apart by short names (`/Streaming/Channels/101`). A segment that
# speaks of credentials, and a long unbroken run of letters and digits, may be one.
_SECRET_SEGMENT = re.compile(
    r"pass|pwd|user|usr|login|admin|auth|token|secret|key|sess|cred|^sig|(?=[a-z]*\d)[a-z\d]{12}",
    re.IGNORECASE,
)
_LIKE_CREDENTIALS = re.compile(
    r":.*@|(pass|pwd|user|usr|token|secret|key|auth)[^/]*=", re.IGNORECASE | re.DOTALL
)


def is_url(text: str) -> bool:
    """Whether this is a URL and not a path; a file of that name comes first."""
    return "://" in text


def check_url(url: str) -> None:
    """Refuses a URL that no waiting will make work.

    Raises:
        SourceError: Its scheme is unknown, it names no host, or its user and password hold
            characters that must be written as %XX.
    """
    scheme, _, rest = url.partition("://")
    if scheme.lower() not in SCHEMES:
        raise SourceError(
            "a URL of this scheme cannot be opened",
            expected=f"one of {', '.join(SCHEMES)}",
            got=f"{scheme}://" if scheme.isalnum() and len(scheme) < 20 else "something else",
            remedy="Pass a file as a path" if scheme.lower() == "file" else None,
        )
    host = _authority(rest).rpartition("@")[2]
    port = host.rpartition(":")[2] if re.search(r":\d+$", host) else "0"
    if not _HOST.fullmatch(host) or int(port) > 65535 or not _is_printable(url):
        raise SourceError(
            f"{display_name(url)} is not a valid URL",
            expected="scheme://user:password@host:port/path",
            remedy="In user and password write / as %2F, ? as %3F, # as %23 and @ as %40",
        )


def display_name(address: str) -> str:
    """The address as it may be shown: scheme, host, port, and a path that holds no credentials.

    Whatever may be a user, password, key or token is left out, and so is what cannot be told from
    one: the query but for the numbering of cameras, and the path from where it looks suspicious.
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        return _without_credentials(address)
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]{0,15}", scheme):
        return "…"
    authority = _authority(rest)
    tail = rest[len(authority) :]
    host = authority.rpartition("@")[2]
    # With an @ behind it, what looks like the host may be the beginning of a user and password.
    if "@" in tail or not _HOST.fullmatch(host):
        return f"{scheme.lower()}://…"
    return f"{scheme.lower()}://{host}{_shown_tail(tail)}"


def _authority(rest: str) -> str:
    return re.split(r"[/?#]", rest, maxsplit=1)[0]


def _shown_tail(tail: str) -> str:
    path = tail.partition("?")[0].partition("#")[0]
    plain = _PLAIN_PATH.match(path)
    segments = (plain.group() if plain else "").split("/")
    suspicious = next((i for i, s in enumerate(segments) if _SECRET_SEGMENT.search(s)), None)
    shown = "/".join(segments[:suspicious])
    if suspicious is not None:
        return f"{shown}/…"
    if len(shown) < len(path):
        # What is cut at `=` or `:` began in this segment, which may be `name:password`.
        return f"{shown.rpartition('/')[0]}/…"
    return shown + _shown_query(tail[len(path) :])


def _shown_query(rest: str) -> str:
    if rest in ("", "?"):
        return rest
    parts = rest[1:].split("&")
    kept = [part for part in parts if rest[0] == "?" and _NUMBERING.fullmatch(part)]
    return f"{rest[0]}{'&'.join(kept + ['…'] * (len(kept) < len(parts)))}"


def _without_credentials(text: str) -> str:
    """Of what is neither a file nor a URL, but may be an address whose scheme was forgotten."""
    is_windows_path = re.match(r"[A-Za-z]:[\\/]", text)
    return "…" if _LIKE_CREDENTIALS.search(text) and not is_windows_path else text


def _is_printable(text: str) -> bool:
    return not re.search(r"[\s\x00-\x20\x7f\ud800-\udfff]", text)
