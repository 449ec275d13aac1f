"""What both ends of an installed Windows need to know each other: made for one image, kept with it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from harness.images.new_keys import openssh_public

_COMPLEX = "Aa1!"
"""One of each kind of character, which Windows asks of a password."""


@dataclass(frozen=True, slots=True)
class WindowsKeys:
    """Private keys are OpenSSH's PEM text, public ones `ssh-ed25519 AAAA...`. `password` is the user's."""

    client_private: str = field(repr=False)
    client_public: str
    host_private: str = field(repr=False)
    host_public: str
    password: str = field(repr=False)


def make_windows_keys() -> WindowsKeys:
    """New keys and a password from the system's random source."""
    client, host = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    return WindowsKeys(
        client_private=_private(client),
        client_public=openssh_public(client),
        host_private=_private(host),
        host_public=openssh_public(host),
        password=_COMPLEX + secrets.token_hex(12),
    )


def _private(key: Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
