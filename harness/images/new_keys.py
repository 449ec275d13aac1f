"""Keys of one run: the client's key pair and the guest's host key, both ed25519, made anew and thrown away.

The guest's server is dropbear, which has a private key format of its own; everything else is OpenSSH's.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from harness.images.keys import GuestKeys

_TYPE = b"ssh-ed25519"


def make_keys() -> GuestKeys:
    """New keys from the system's random source."""
    client, host = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    return GuestKeys(
        client_private=client.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
        client_public=openssh_public(client),
        host_private=dropbear_private(host),
        host_public=openssh_public(host),
    )


def openssh_public(key: Ed25519PrivateKey) -> str:
    """The public half of `key` as OpenSSH writes it, without a comment."""
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def dropbear_private(key: Ed25519PrivateKey) -> bytes:
    """`key` as dropbear stores it: two SSH strings, the type's name and seed + public key (32 bytes each)."""
    seed = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return _string(_TYPE) + _string(seed + public)


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data
