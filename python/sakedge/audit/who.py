"""Who acts, as the operating system knows."""

from __future__ import annotations

import os
import socket


def whoami() -> str:
    """The user of this process by name; of root also who became it by `sudo`.

    Names come from the system's list of users and not from the environment, which a user sets as
    he likes. Of `SUDO_USER` root alone is believed, who could write anything anyway.
    """
    if not hasattr(os, "geteuid"):
        import getpass

        return getpass.getuser()
    user = os.geteuid()
    name = _name(user)
    behind = os.environ.get("SUDO_USER", "") if user == 0 else ""
    return f"{name} (sudo: {behind})" if behind else name


def host() -> str:
    """The name of this machine."""
    return socket.gethostname()


def _name(user: int) -> str:
    from pwd import getpwuid

    try:
        return getpwuid(user).pw_name
    except KeyError:  # in a container, say
        return f"uid {user}"
