"""Fetch a large file over HTTP: what has arrived is kept, a later try goes on there, and the whole is checked."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from harness.errors import SetupError
from harness.events import SILENT, Progress, Step, megabytes, stage
from harness.images.host_tool import space_checked

_BLOCK = 1 << 20
_SECONDS = 60.0  # without a byte
_TEXT_LIMIT = 1 << 20
_TRIES = 5  # that bring nothing new


class NotThere(SetupError):
    """The server is there and has no such file."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A file of a server, and the SHA-512 that it must have, in hexadecimal."""

    url: str
    sha512: str


def read_text(url: str, *, seconds: float = _SECONDS) -> str:
    """A small file. Raises NotThere, or SetupError."""
    try:
        with _open(url, 0, seconds) as answer:
            data = answer.read(_TEXT_LIMIT)
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(url, error) from error
    return data.decode("utf-8", errors="replace")


def download(remote: Remote, target: Path, *, progress: Progress = SILENT, seconds: float = _SECONDS) -> None:
    """Put the file at `target`; until it is whole and right it is `target` with `.part` behind its name.

    Raises SetupError. What has arrived is kept for the next call unless it is wrong.
    """
    part = target.with_name(f"{target.name}.part")
    name = remote.url.rpartition("/")[2]
    with space_checked(f"cannot keep {name} in {target.parent}"):
        target.parent.mkdir(parents=True, exist_ok=True)
        with stage(progress, f"fetch {name}") as step:
            _fill(remote.url, part, step, seconds)
        with stage(progress, f"check {name}"):
            found = _sha512(part)
        if found != remote.sha512.lower():
            part.unlink()
            raise SetupError(
                f"{remote.url} is not what its checksum says: SHA-512 {found[:16]}..., not {remote.sha512[:16]}...",
                hint="it was removed; fetch it again, or from another server with --base",
            )
        part.replace(target)


def _fill(url: str, part: Path, step: Step, seconds: float) -> None:
    """Gets the rest of the file as often as that brings something."""
    tries = 0
    while True:
        before = _size(part)
        try:
            if _append(url, part, step, seconds):
                return
            error: Exception = ConnectionResetError("the connection ended early")
        except (OSError, http.client.HTTPException) as problem:
            error = problem
        tries = 0 if _size(part) > before else tries + 1
        if tries >= _TRIES or (not before and not _size(part)):
            kept = f"; {megabytes(_size(part))} are kept, and the next try goes on there" if _size(part) else ""
            raise SetupError(f"cannot fetch {url}: {_reason(error)}{kept}", hint=_hint(url)) from error


def _append(url: str, part: Path, step: Step, seconds: float) -> bool:
    """Whether the file is whole now."""
    have = _size(part)
    try:
        answer = _open(url, have, seconds)
    except _Unsatisfiable as error:
        if error.total == have:
            return True
        part.unlink()  # longer than what is there now: of another file
        return False
    with answer:
        begin, total = _range(answer)
        if begin not in (0, have):
            raise SetupError(f"{url}: the server sent from byte {begin} on, not from {have}")
        with part.open("ab" if begin else "wb") as stream:
            done = begin
            step.advance(done, total=total)
            while block := answer.read(_BLOCK):
                stream.write(block)
                done += len(block)
                step.advance(done, total=total)
    return total is None or done == total


def _range(answer: http.client.HTTPResponse) -> tuple[int, int | None]:
    """Where what follows belongs, and the size of the whole."""
    length = answer.headers.get("Content-Length", "")
    size = int(length) if length.isdecimal() else None
    if answer.status != HTTPStatus.PARTIAL_CONTENT:
        return 0, size
    place, _, total = answer.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
    first = place.partition("-")[0]
    begin = int(first) if first.isdecimal() else 0
    return begin, int(total) if total.isdecimal() else None


class _Unsatisfiable(Exception):
    """Nothing of the file lies behind what was asked for; `total` is its size, or -1."""

    def __init__(self, total: int) -> None:
        super().__init__(total)
        self.total = total


def _open(url: str, begin: int, seconds: float) -> http.client.HTTPResponse:
    if urlsplit(url).scheme not in ("http", "https"):
        raise SetupError(f"{url} is no address of a web server", hint="it begins with https:// or http://")
    request = urllib.request.Request(url, headers={"Range": f"bytes={begin}-"} if begin else {})  # noqa: S310 - checked
    try:
        answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=seconds)  # noqa: S310 - checked
    except urllib.error.HTTPError as error:
        with error:
            if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and begin:
                total = error.headers.get("Content-Range", "").rpartition("/")[2]
                raise _Unsatisfiable(int(total) if total.isdecimal() else -1) from error
            if error.code in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
                raise NotThere(f"{url}: the server has no such file") from error
            raise SetupError(f"cannot fetch {url}: the server says {error.code} {error.reason}") from error
    return answer


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _sha512(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha512").hexdigest()


def _unreachable(url: str, error: Exception) -> SetupError:
    return SetupError(f"cannot fetch {url}: {_reason(error)}", hint=_hint(url))


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return str(reason or error) or type(error).__name__


def _hint(url: str) -> str:
    return f"is {urlsplit(url).netloc} reachable from here? another server: --base"
