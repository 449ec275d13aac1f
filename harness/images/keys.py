"""Keys of one run: the client's key pair and the guest's host key, both ed25519, made anew and thrown away.

The guest's server is dropbear, which has a private key format of its own; everything else is OpenSSH's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from harness.images.cpio import Entry, directory, regular

_TYPE = b"ssh-ed25519"


@dataclass(frozen=True, slots=True)
class GuestKeys:
    """What both ends need to know each other.

    client_private: the client's private key, OpenSSH's PEM text, no pass phrase.
    client_public, host_public: `ssh-ed25519 AAAA...`, no comment, no newline.
    host_private: the guest's host key in dropbear's format.
    """

    client_private: bytes = field(repr=False)
    client_public: str
    host_private: bytes = field(repr=False)
    host_public: str

    @property
    def authorized_keys(self) -> bytes:
        """The file that lets the client, and nobody else, log in."""
        return f"{self.client_public} harness\n".encode()

    def known_host(self, host: str, *, port: int = 22) -> str:
        """The line of a known_hosts file for the guest when it is reached as `host` and `port`."""
        name = host if port == 22 else f"[{host}]:{port}"
        return f"{name} {self.host_public}\n"

    def files(self) -> dict[str, bytes | Entry]:
        """What `cpio.overlay` puts into the guest."""
        private = {
            "root/.ssh/authorized_keys": self.authorized_keys,
            "etc/dropbear/dropbear_ed25519_host_key": self.host_private,
        }
        entries = [directory("root", mode=0o700), directory("root/.ssh", mode=0o700)]
        entries += [regular(path, data, mode=0o600) for path, data in private.items()]
        return {entry.path: entry for entry in entries}


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
