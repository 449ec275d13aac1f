"""SSH to a guest. The only module that imports paramiko."""

from __future__ import annotations

import io
import logging
import shlex
import socket
import time
from dataclasses import dataclass

import paramiko

from harness.errors import TransportError

_CONNECT_RETRY_SECONDS = 0.05
_SEND_SECONDS = 30.0

# What goes wrong is raised here; paramiko's own log of it would only repeat it on the terminal.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class SshIdentity:
    """Who we are and whom we expect: an OpenSSH private key (PEM text) and the guest's public host key
    (`ssh-ed25519 AAAA...`)."""

    user: str
    private_key: str
    host_key: str


@dataclass(frozen=True, slots=True)
class CommandResult:
    """Exit status, standard output and standard error of one command."""

    status: int
    stdout: bytes
    stderr: bytes


class SshConnection:
    """One authenticated connection. Methods raise TransportError when it breaks or a deadline passes."""

    def __init__(self, client: paramiko.SSHClient, where: str) -> None:
        self._client = client
        self._where = where

    @classmethod
    def open(cls, port: int, identity: SshIdentity, *, deadline: float) -> SshConnection:
        """Connect to 127.0.0.1:`port`; tries again until `deadline` seconds have passed while the guest's
        server is not up yet. A host key other than the guest's own is refused at once."""
        where = f"127.0.0.1:{port}"
        key = paramiko.Ed25519Key.from_private_key(io.StringIO(identity.private_key))
        client = paramiko.SSHClient()
        kind, data = identity.host_key.split()[:2]
        entry = paramiko.hostkeys.HostKeyEntry.from_line(f"[127.0.0.1]:{port} {kind} {data}")
        if entry is None or entry.key is None:
            raise TransportError(f"{where}: the guest's host key is not a public key: {identity.host_key!r}")
        client.get_host_keys().add(f"[127.0.0.1]:{port}", kind, entry.key)
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        end = time.monotonic() + deadline
        while True:
            remaining = max(end - time.monotonic(), 0.1)
            try:
                client.connect(
                    "127.0.0.1",
                    port,
                    username=identity.user,
                    pkey=key,
                    look_for_keys=False,
                    allow_agent=False,
                    timeout=remaining,
                    banner_timeout=remaining,
                    auth_timeout=remaining,
                )
            except (paramiko.BadHostKeyException, paramiko.AuthenticationException) as error:
                client.close()
                raise TransportError(f"{where}: SSH refused: {error}") from error
            except (OSError, EOFError, paramiko.SSHException) as error:
                # Until the guest's server listens, QEMU accepts the connection and closes it again.
                if time.monotonic() + _CONNECT_RETRY_SECONDS > end:
                    client.close()
                    raise TransportError(f"{where}: no SSH within {deadline:.0f} s: {error}") from error
                time.sleep(_CONNECT_RETRY_SECONDS)
            else:
                return cls(client, where)

    @property
    def alive(self) -> bool:
        """Whether it can be used, as far as is known here."""
        transport = self._client.get_transport()
        return transport is not None and transport.is_active()

    def run(self, command: str, *, deadline: float, stdin: bytes = b"") -> CommandResult:
        """Run `command` by the guest's shell with `stdin` as its whole input."""
        try:
            channel = self._session(deadline)
            channel.exec_command(command)
            channel.sendall(stdin)
            channel.shutdown_write()
            stdout = channel.makefile("rb").read()
            stderr = channel.makefile_stderr("rb").read()
            if not channel.status_event.wait(deadline):
                raise TimeoutError
            status = channel.recv_exit_status()
            channel.close()
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise TransportError(f"{self._where}: command {command!r} did not finish: {error!r}") from error
        if status < 0 and not self.alive:
            raise TransportError(f"{self._where}: command {command!r} did not finish: the connection was dropped")
        return CommandResult(status=status, stdout=stdout, stderr=stderr)

    def put(self, data: bytes, path: str, *, deadline: float, mode: int = 0o644) -> None:
        """Write `data` to `path` in the guest, by way of a temporary name beside it."""
        name = shlex.quote(path)
        command = f"cat > {name}.new && chmod {mode:o} {name}.new && mv {name}.new {name}"
        result = self.run(command, deadline=deadline, stdin=data)
        if result.status != 0:
            raise TransportError(f"{self._where}: {path} was not written: {result.stderr.decode(errors='replace')}")

    def stream(self, command: str, *, deadline: float) -> SshStream:
        """Start `command` and talk to its standard input and output."""
        try:
            channel = self._session(deadline)
            channel.exec_command(command)
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise TransportError(f"{self._where}: {command!r} did not start: {error!r}") from error
        return SshStream(channel)

    def shell(self, *, width: int, height: int) -> paramiko.Channel:
        """An interactive shell on a terminal of the given size."""
        try:
            return self._client.invoke_shell(width=width, height=height)
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise TransportError(f"{self._where}: no shell: {error!r}") from error

    def close(self) -> None:
        self._client.close()

    def _session(self, deadline: float) -> paramiko.Channel:
        transport = self._client.get_transport()
        if transport is None or not transport.is_active():
            raise TransportError(f"{self._where}: the SSH connection is gone")
        channel = transport.open_session(timeout=deadline)
        channel.settimeout(deadline)
        return channel


class SshStream:
    """A byte stream over the standard input and output of a command in the guest."""

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel

    def send(self, data: bytes) -> None:
        """Send all of `data`. Raises OSError when the stream is closed or nothing is taken for a long time."""
        rest = bytes(data)
        end = time.monotonic() + _SEND_SECONDS
        while rest:
            try:
                rest = rest[self._channel.send(rest) :]
            except TimeoutError:
                # The channel has one time limit for both directions, and the reader's is short.
                if time.monotonic() > end:
                    raise
            else:
                end = time.monotonic() + _SEND_SECONDS

    def recv(self, max_bytes: int, timeout: float) -> bytes:
        """At most `max_bytes` bytes, b"" at the end of the stream. Raises TimeoutError after `timeout` seconds."""
        self._channel.settimeout(timeout)
        try:
            return self._channel.recv(max_bytes)
        except socket.timeout as error:  # noqa: UP041 - paramiko's own name for it
            raise TimeoutError from error

    def close(self) -> None:
        self._channel.close()
