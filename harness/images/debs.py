"""Debian packages of any architecture, resolved, downloaded and verified by apt, without root.

apt works in a root of its own (lists, cache, configuration; an empty dpkg status), so the host's packages
and its apt are neither read for what is installed nor changed. Only the network settings and the Debian
sources of the host are taken over.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from harness.errors import SetupError
from harness.events import SILENT, Progress, Step, megabytes, stage
from harness.images import host_tool
from harness.images.sources import deb822, host_sources, in_suite

_NETWORK = re.compile(r"(?i)Acquire::(https?|ftp|tor|Retries|Check-Valid-Until|Check-Date|ForceIPv[46])\b")
_KEYRINGS = ("debian-archive-keyring.gpg", "debian-archive-keyring.pgp")
_CHOSEN = re.compile(r"'[^']+' (?P<filename>\S+_\S+_\S+\.deb) (?P<size>\d+) SHA256:(?P<sha256>[0-9a-f]{64})")
_PERCENT = re.compile(r"dlstatus:\d+:(?P<percent>[\d.]+):")
_OFFLINE = "check the network, and /etc/apt for the mirror and the proxy"
_RETRY_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Package:
    """One package as an index lists it. `arch` may be `all`; `index` is the architecture whose index it is
    from. `filename` is its name in the cache, `size` in bytes, `sha256` in hex."""

    name: str
    version: str
    arch: str
    size: int
    sha256: str
    filename: str
    index: str


class AptRoot:
    """A private apt under `root`, for any number of architectures. Processes that share `root` take turns.

    `suite` names another Debian release than the host's sources do (empty: theirs); `source_files` replaces
    the host's sources by files in apt's formats, for a host that is no Debian.
    """

    def __init__(
        self,
        root: Path,
        *,
        suite: str = "",
        source_files: Sequence[Path] | None = None,
        progress: Progress = SILENT,
        max_age: float = 12 * 3600.0,
    ) -> None:
        self._root = root.absolute()
        self._suite = suite
        self._source_files = source_files
        self._progress = progress
        self._max_age = max_age

    def update(self, arch: str) -> None:
        """Make the package lists of `arch` present and at most `max_age` seconds old.

        Lists that are there are kept, and said to be old, when the mirror cannot be reached or is damaged.
        Raises SetupError if there are none then.
        """
        with self._lock():
            place, env = self._prepare(arch)
            stamp = place / "updated"
            if stamp.exists() and time.time() - stamp.stat().st_mtime < self._max_age:
                return
            with stage(self._progress, f"update package lists ({arch})") as step:
                try:
                    host_tool.run(
                        ["apt-get", "-q", "-o", "APT::Update::Error-Mode=any", "update"],
                        what=f"cannot update the package lists of {arch}",
                        hint=_OFFLINE,
                        env=env,
                        timeout=300,
                    )
                    stamp.touch()
                except SetupError as error:
                    if not any((place / "lists").glob("*_Packages*")):
                        raise
                    step.done(f"failed, using what is there: {_first_error(error.evidence)}")
                    stamp.touch()
                    again = time.time() - self._max_age + _RETRY_SECONDS
                    os.utime(stamp, (again, again))

    def resolve(self, arch: str, packages: Sequence[str]) -> list[Package]:
        """`packages` and all they depend on, by apt's choice on an empty `arch` system, sorted by name.

        Recommended packages are left out. Raises SetupError if a package is unknown or cannot be installed.
        """
        with self._lock():
            _, env = self._prepare(arch)
            answer = host_tool.run(
                ["apt-get", "-qqy", "--print-uris", "-oAcquire::ForceHash=SHA256", "install", *packages],
                what=f"no way to install {' '.join(packages)} ({arch})",
                hint="see guests/*.toml for the package's name and suite",
                env=env,
            )
        chosen = [_package(match, arch) for match in _CHOSEN.finditer(answer)]
        if not chosen:
            raise SetupError(f"apt names no file for {' '.join(packages)} ({arch})", evidence=answer[-1000:])
        return sorted(chosen, key=lambda package: package.name)

    def fetch(self, packages: Iterable[Package]) -> list[Path]:
        """The files of `packages`, in the same order; those not in the cache yet are downloaded.

        apt verifies what it downloads against the signed lists; what was in the cache is hashed again here.
        """
        with self._lock():
            return [self._cached(package) or self._download(package) for package in packages]

    def _cached(self, package: Package) -> Path | None:
        file = self._debs / package.filename
        if not file.exists():
            return None
        with file.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
        return file if found == package.sha256 else None

    def _download(self, package: Package) -> Path:
        _, env = self._prepare(package.index)
        text = f"fetch {package.name} ({package.arch}) {megabytes(package.size)}"
        what = f"cannot download {package.name} {package.version} ({package.arch})"
        with (
            stage(self._progress, text, total=package.size) as step,
            tempfile.TemporaryDirectory(prefix=".partial-", dir=self._debs) as partial,
        ):
            host_tool.run(
                ["apt-get", "-qq", "-o", "APT::Status-Fd=1", "download", f"{package.name}={package.version}"],
                what=what,
                hint=_OFFLINE,
                env=env,
                cwd=Path(partial),
                timeout=1800,
                on_line=lambda line: _advance(step, line, package.size),
            )
            found = [*Path(partial).glob("*.deb")]
            if [file.name for file in found] != [package.filename]:
                raise SetupError(f"{what}: apt left {[file.name for file in found]}")
            found[0].replace(self._debs / package.filename)
        if file := self._cached(package):
            return file
        raise SetupError(f"{what}: its hash is not the one in the package list", hint="try again")

    @property
    def _debs(self) -> Path:
        return self._root / "debs"

    def _prepare(self, arch: str) -> tuple[Path, dict[str, str]]:
        """Write the configuration for `arch`; returns its directory and the environment apt needs."""
        place = self._root / "apt" / (self._suite or "host") / arch
        for directory in ("lists/partial", "cache/archives/partial", "etc/preferences.d"):
            (place / directory).mkdir(parents=True, exist_ok=True)
        (place / "status").touch()
        sources = self._sources()
        if _write_if_changed(place / "etc" / "debian.sources", sources):
            (place / "updated").unlink(missing_ok=True)
        _write_if_changed(place / "apt.conf", _configuration(place, arch))
        return place, {"APT_CONFIG": str(place / "apt.conf")}

    def _sources(self) -> str:
        sources = host_sources(self._source_files)
        keyrings = [path for name in _KEYRINGS if (path := Path("/usr/share/keyrings") / name).exists()]
        chosen = in_suite(sources, self._suite) if self._suite else sources
        return deb822(chosen, keyring=str(keyrings[0]) if keyrings else "")

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with host_tool.space_checked(f"cannot write to {self._root}"):
            self._debs.mkdir(parents=True, exist_ok=True)
            with (self._root / "apt.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                for stale in self._debs.glob(".partial-*"):
                    shutil.rmtree(stale, ignore_errors=True)
                yield


def unpack(deb: Path, into: Path) -> None:
    """Put the files of `deb` below the directory `into`, which is made; package scripts are not run."""
    with host_tool.space_checked(f"cannot unpack {deb.name}"):
        into.mkdir(parents=True, exist_ok=True)
        host_tool.run(["dpkg-deb", "--extract", str(deb), str(into)], what=f"cannot unpack {deb.name}")


def _package(match: re.Match[str], index: str) -> Package:
    name, version, arch = (unquote(part) for part in match["filename"].removesuffix(".deb").split("_"))
    return Package(name, version, arch, int(match["size"]), match["sha256"], match["filename"], index)


def _advance(step: Step, line: str, total: int) -> None:
    if match := _PERCENT.match(line):
        step.advance(round(float(match["percent"]) * total / 100), total=total)


def _first_error(said: str) -> str:
    errors = [line[3:] for line in said.splitlines() if line.startswith(("E: ", "W: "))]
    return errors[0].split("  ")[-1] if errors else "apt gave no reason"


def _configuration(place: Path, arch: str) -> str:
    """An apt.conf that replaces the host's: read first, it points apt at no other file of configuration."""
    ours = f"""
        Dir "{place}/";
        Dir::State "{place}/";
        Dir::State::lists "{place}/lists/";
        Dir::State::status "{place}/status";
        Dir::Cache "{place}/cache/";
        Dir::Etc "{place}/etc/";
        Dir::Etc::main "/dev/null";
        Dir::Etc::parts "/dev/null";
        Dir::Etc::sourcelist "/dev/null";
        Dir::Etc::sourceparts "{place}/etc/";
        Dir::Etc::trusted "/etc/apt/trusted.gpg";
        Dir::Etc::trustedparts "/etc/apt/trusted.gpg.d/";
        Dir::Etc::netrc "/etc/apt/auth.conf";
        Dir::Etc::netrcparts "/etc/apt/auth.conf.d/";
        Dir::Log "{place}/";
        APT::Architecture "{arch}";
        APT::Architectures {{ "{arch}"; }};
        APT::Install-Recommends "false";
        APT::Sandbox::User "";
        Acquire::Languages "none";
    """
    return "\n".join(line.strip() for line in ours.strip().splitlines()) + "\n" + _host_network()


@cache
def _host_network() -> str:
    """The host's settings of proxies, retries and dates, as lines of an apt.conf."""
    dump = host_tool.run(["apt-config", "dump"], what="cannot read apt's configuration")
    return "".join(line + "\n" for line in dump.splitlines() if _NETWORK.match(line))


def host_architecture() -> str:
    """Debian's name for the architecture of this host's programs, for example `amd64`."""
    return host_tool.run(["dpkg", "--print-architecture"], what="cannot ask dpkg").strip()


def _write_if_changed(path: Path, text: str) -> bool:
    with suppress(FileNotFoundError):
        if path.read_text() == text:
            return False
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.replace(path)
    return True
