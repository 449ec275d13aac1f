"""Where this host gets Debian's packages from: its configured sources, less everything that is not Debian's.

Both of apt's formats are read, the one-line `.list` and the deb822 `.sources`. Nothing here does I/O but
`host_sources`, which reads the host's files and asks its apt; nothing here names a mirror.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import SetupError
from harness.images import host_tool

_KEYRING = re.compile(r"debian-archive-[\w.-]+\.(gpg|pgp|asc)")
_SUITE = re.compile(r"(?P<base>[a-z]+)(?P<rest>(-(updates|security|backports|backports-sloppy))?(/updates)?)")
_LINE = re.compile(r"deb\s+(\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)(?P<components>.*)")
_HINT = (
    "add one to /etc/apt/sources.list.d, for example a debian.sources with 'Types: deb', your mirror as "
    "'URIs:', 'Suites: bookworm', 'Components: main' and "
    "'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg' (package debian-archive-keyring)"
)


@dataclass(frozen=True, slots=True)
class Source:
    """One entry of binary packages: every suite at every URI. `signed_by` is a key file, a fingerprint or a
    whole key block as apt reads it, or empty if the entry leaves the choice to apt."""

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""


def parse_one_line(text: str) -> list[Source]:
    """The `deb` lines of a sources.list; deb-src, comments and what apt could not read are left out."""
    found = []
    for line in text.splitlines():
        match = _LINE.fullmatch(line.split("#", 1)[0].strip())
        if match is None:
            continue
        options = dict(re.findall(r"([\w-]+)[+-]?=(\S+)", match["options"] or ""))
        signed_by = options.get("signed-by", "").replace(",", " ")
        components = tuple(match["components"].split())
        found.append(Source((match["uri"],), (match["suite"],), components, signed_by))
    return found


def parse_deb822(text: str) -> list[Source]:
    """The enabled stanzas of a `.sources` file that have binary packages."""
    found = []
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for stanza in re.split(r"\n[ \t]*\n", "\n".join(lines)):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line[:1] in (" ", "\t"):
                fields[name] = fields.get(name, "") + "\n" + line
            elif ":" in line:
                name, value = line.split(":", 1)
                name = name.strip().lower()
                fields[name] = value.strip()
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in _NO:
            continue
        uris, suites = tuple(fields.get("uris", "").split()), tuple(fields.get("suites", "").split())
        if uris and suites:
            components = tuple(fields.get("components", "").split())
            found.append(Source(uris, suites, components, fields.get("signed-by", "")))
    return found


_NO = {"no", "false", "without", "off", "disable", "0"}


def is_debian(source: Source, *, origin_of: Callable[[str, str], str]) -> bool:
    """Whether `source` is Debian's own archive.

    Its key file says so; else the Origin of the Release file that the host has of it (`origin_of(uri,
    suite)`, empty if it has none); else, with neither, its shape does: Debian's path and `main`. A wrong
    guess does no harm, because `deb822` then demands the signature of Debian's archive keyring.
    """
    if source.uris[0].startswith("cdrom:"):
        return False
    if source.signed_by and all(_KEYRING.fullmatch(Path(p).name) for p in source.signed_by.split()):
        return True
    origins = {origin_of(uri, suite) for uri in source.uris for suite in source.suites} - {""}
    if origins:
        return origins == {"Debian"}
    places = {uri.rstrip("/").rsplit("/", 1)[-1].removesuffix(".list") for uri in source.uris}
    return not source.signed_by and "main" in source.components and places <= {"debian", "debian-security"}


def in_suite(sources: Iterable[Source], suite: str) -> list[Source]:
    """The same mirrors with another release: `bookworm-updates` becomes `trixie-updates`, and so on."""
    return [
        replace(source, suites=tuple(_SUITE.sub(suite + r"\g<rest>", name) for name in source.suites))
        for source in sources
    ]


def deb822(sources: Iterable[Source], *, keyring: str) -> str:
    """A `.sources` file of `sources`; those that name no key are held to `keyring`, if there is one."""
    stanzas = []
    for source in sources:
        lines = [
            "Types: deb",
            "URIs: " + " ".join(source.uris),
            "Suites: " + " ".join(source.suites),
            "Components: " + " ".join(source.components),
        ]
        if signed_by := source.signed_by or keyring:
            lines.append("Signed-By: " + signed_by)
        stanzas.append("\n".join(lines) + "\n")
    return "\n".join(stanzas)


def debian_only(sources: Iterable[Source], *, origin_of: Callable[[str, str], str]) -> list[Source]:
    """Those of `sources` that are Debian's. Raises SetupError if none is."""
    every = list(sources)
    chosen = [source for source in every if is_debian(source, origin_of=origin_of)]
    if not chosen:
        seen = f"{len(every)} sources of others" if every else "no source at all"
        raise SetupError(f"apt on this host has no source of Debian packages ({seen})", hint=_HINT)
    return chosen


def read_sources(files: Iterable[Path]) -> list[Source]:
    """The sources in `files`, by their names: `.sources` is deb822, anything else one-line."""
    found: list[Source] = []
    for file in files:
        text = file.read_text(errors="replace")
        found += parse_deb822(text) if file.suffix == ".sources" else parse_one_line(text)
    return found


def host_sources(files: Sequence[Path] | None = None) -> list[Source]:
    """Debian's sources among those in `files`, by default all that this host's apt reads."""
    if files is None:
        parts = Path("/etc/apt/sources.list.d")
        found = [*sorted(parts.glob("*.list")), *sorted(parts.glob("*.sources"))]
        files = [file for file in (Path("/etc/apt/sources.list"), *found) if file.is_file()]
    sources = read_sources(files)
    origins: dict[tuple[str, str], str] = {}
    if any(not source.signed_by for source in sources):
        fields = "$(REPO_URI) $(RELEASE) $(ORIGIN)"
        for line in host_tool.run(
            ["apt-get", "indextargets", "--format", fields, "Created-By: Packages"],
            what="cannot ask apt about its sources",
        ).splitlines():
            uri, suite, origin = line.split(" ", 2)
            origins[uri.rstrip("/"), suite] = "" if origin.startswith("$(") else origin
    return debian_only(sources, origin_of=lambda uri, suite: origins.get((uri.rstrip("/"), suite), ""))
