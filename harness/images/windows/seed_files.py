"""What lies on the seed of an installation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ConfigError, SetupError
from harness.images.windows.answer_file import ANSWER_FILE, FIRST_LOGON, Answers, answer_file
from harness.images.windows.keys import WindowsKeys

CONSOLE = "COM1"

_HERE = Path(__file__).parent
_SCRIPTS = (FIRST_LOGON, "agent.cmd", "ready.cmd")
_STEPS = ("files", "power", "updates", "crashes", "virtio", "openssh", "agent", "testsigning")
_PROGRAM = b"MZ"
_SSH_SERVERS = (".zip", ".msi")


@dataclass(frozen=True, slots=True)
class Parts:
    """What goes into the guest. `agents` are programs by word size; `ports` are what the agents serve: the port's
    name and its path in Windows; `openssh` is a package of the server, or None for Windows' own; `virtio_driver` is
    the path of the driver of the ports on the disc with drivers, empty if none is needed."""

    agents: Mapping[str, bytes]
    ports: Mapping[str, str]
    openssh: Path | None = None
    virtio_driver: str = ""


def seed_files(answers: Answers, keys: WindowsKeys, parts: Parts) -> dict[str, bytes]:
    """The files of the seed, by name. Raises ConfigError if a value or a file does not fit, SetupError for an agent."""
    files = {
        ANSWER_FILE: answer_file(answers),
        "settings.cmd": _dos(_settings(answers, parts)),
        "authorized_keys.txt": f"{keys.client_public} harness\n".encode(),
        "hostkey.txt": keys.host_private.encode(),
        "hostkey.pub": f"{keys.host_public}\n".encode(),
    }
    files |= {name: _dos((_HERE / name).read_text(encoding="utf-8")) for name in _SCRIPTS}
    files |= {_agent(arch): _program(arch, content) for arch, content in parts.agents.items()}
    if parts.openssh is not None:
        name = f"openssh{_kind(parts.openssh)}"
        files[name] = _content(parts.openssh)
    return files


def _settings(answers: Answers, parts: Parts) -> str:
    steps = [step for step in _STEPS if step != "virtio" or parts.virtio_driver]
    ports = " ".join(f'"{name}={path}"' for name, path in parts.ports.items())
    values = {
        "SAY": answers.say,
        "CONSOLE": CONSOLE,
        "STEPS": " ".join(steps),
        "AGENT": _agent(answers.arch),
        "PORTS": ports,
        "VIRTIO": parts.virtio_driver,
    }
    return "".join(f"set {name}={value}\n" for name, value in values.items())


def _agent(arch: str) -> str:
    return f"agent-{arch}.exe"


def _program(arch: str, content: bytes) -> bytes:
    if not content.startswith(_PROGRAM):
        raise SetupError(
            f"the agent for windows-{arch} is no program for Windows", hint="remove build/agent and try again"
        )
    return content


def _kind(openssh: Path) -> str:
    kind = openssh.suffix.lower()
    if kind not in _SSH_SERVERS:
        hint = "see github.com/PowerShell/Win32-OpenSSH"
        raise ConfigError(f"{openssh} is neither a .zip nor a .msi of OpenSSH", hint=hint)
    return kind


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error


def _dos(text: str) -> bytes:
    """A script as Windows' command interpreter wants it: it loses labels in files with bare line feeds."""
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode("ascii")
