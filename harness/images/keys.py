"""What a guest and its clients know each other by. `new_keys` makes it."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.images.cpio import Entry, directory, regular


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
        if not self.client_public:
            return {}
        private = {
            "root/.ssh/authorized_keys": self.authorized_keys,
            "etc/dropbear/dropbear_ed25519_host_key": self.host_private,
        }
        entries = [directory("root", mode=0o700), directory("root/.ssh", mode=0o700)]
        entries += [regular(path, data, mode=0o600) for path, data in private.items()]
        return {entry.path: entry for entry in entries}


NO_KEYS = GuestKeys(client_private=b"", client_public="", host_private=b"", host_public="")
"""Of a guest that nobody logs in to."""
