"""libvirt's session daemon for root.

For an ordinary user, connecting to `qemu:///session` starts a daemon of that user. For root there is no such
thing: libvirt takes root for the owner of the system daemon. So for root we start a session daemon of our own,
in a user namespace in which root is nobody special, with its own directories; it ends by itself when it has
been idle for a while.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from harness.errors import ProvisionError
from harness.places import cache_dir, runtime_dir
from harness.provision import reaper

SESSION_URI = "qemu:///session"
_IDLE_SECONDS = 120

# Whom root appears as in the daemon's user namespace. libvirt looks the user up, so it must be one that every
# Debian has; it gains nothing by this.
_SOMEBODY = "daemon"
_START_SECONDS = 20.0
_STOP_SECONDS = 5.0

# The daemon writes consoles itself: no second daemon that rotates them, every byte in one file.
_QEMU_CONF = 'stdio_handler = "file"\n'


def resolve_uri(uri: str) -> str:
    """The URI to connect to for `uri`; starts root's session daemon if that is what `uri` needs."""
    if uri != SESSION_URI or os.geteuid() != 0:
        return uri
    directory = runtime_dir()
    socket_path = directory / "libvirt" / "libvirt-sock"
    if not _answers(socket_path):
        _start(directory, socket_path)
    return f"qemu+unix:///session?socket={quote(str(socket_path))}"


def stop_daemon() -> bool:
    """Stop root's session daemon if it runs, by force if need be; True if it did."""
    pid = _daemon()
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    if not _gone(pid, _STOP_SECONDS):
        os.kill(pid, signal.SIGKILL)
        _gone(pid, _STOP_SECONDS)
    return True


def _daemon() -> int | None:
    """The process of the daemon, if there is one."""
    pid_file = runtime_dir() / "libvirtd.pid"
    try:
        pid = int(pid_file.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if str(pid_file).encode() in command else None


def _gone(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


@contextmanager
def _lock(directory: Path) -> Iterator[None]:
    with (directory / "daemon.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _start(directory: Path, socket_path: Path) -> None:
    for tool, package in (("libvirtd", "libvirt-daemon"), ("unshare", "util-linux")):
        if shutil.which(tool) is None and not Path("/usr/sbin", tool).exists():
            raise ProvisionError(f"{tool} is not installed", hint=f"install the package {package}, or: make setup")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = directory / "config" / "libvirt"
    config.mkdir(mode=0o700, parents=True, exist_ok=True)
    (config / "qemu.conf").write_text(_QEMU_CONF)
    with _lock(directory):
        if _answers(socket_path):
            return
        stop_daemon()  # one that is there and does not answer; its guests go on, and the next one finds them
        somebody = pwd.getpwnam(_SOMEBODY)
        command = ["unshare", "--user", f"--map-user={somebody.pw_uid}", f"--map-group={somebody.pw_gid}"]
        command += [sys.executable, "-I", reaper.__file__]
        command += ["libvirtd", f"--timeout={_IDLE_SECONDS}", f"--pid-file={directory / 'libvirtd.pid'}"]
        environment = os.environ | {
            "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin",
            "XDG_RUNTIME_DIR": str(directory),
            "XDG_CONFIG_HOME": str(directory / "config"),
            "XDG_CACHE_HOME": str(cache_dir()),
        }
        log = directory / "libvirtd.log"
        with log.open("wb") as output:
            streams = [
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, output.fileno(), 1),
                (os.POSIX_SPAWN_DUP2, output.fileno(), 2),
            ]
            daemon = os.posix_spawnp(command[0], command, environment, file_actions=streams, setsid=True)
        end = time.monotonic() + _START_SECONDS
        while not _answers(socket_path):
            ended, status = os.waitpid(daemon, os.WNOHANG)
            if ended or time.monotonic() > end:
                raise ProvisionError(
                    f"libvirt's session daemon did not start (exit status {os.waitstatus_to_exitcode(status)})",
                    hint="user namespaces may be forbidden here; name another connection with --uri",
                    evidence=log.read_text(errors="replace")[-2000:],
                )
            time.sleep(0.02)
