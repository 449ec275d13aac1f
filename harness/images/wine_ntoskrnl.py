"""An ntoskrnl.exe for Wine: our calls where Wine has none or a stub, and for the rest Wine's own.

Wine's own is kept under another name (`ntoswine.dll`) and every name that it exports is forwarded there, so nothing
of it has to be known here. Sources and the list of our calls: guests/windows/ntoskrnl.
"""

from __future__ import annotations

import sysconfig
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import SetupError
from harness.images import host_tool
from harness.images.pe import PortableExecutable, unmarked

SOURCES = Path(__file__).parents[2] / "guests" / "windows" / "ntoskrnl"

_MACHINES = {"amd64": ("x86_64-windows-gnu", "i386:x86-64"), "x86": ("x86-windows-gnu", "i386")}
_HINT = "run: make setup"
_SYSTEM = "ntoskrnl.exe"
_WINE = "ntoswine"
_FLAGS = (
    *("-shared", "-nostdlib", "-ffreestanding", "-O2", "-g0", "-std=gnu11"),
    *("-fno-sanitize=all", "-fno-stack-protector", "-mno-stack-arg-probe"),
    *("-Wall", "-Wextra", "-Werror", "-Wno-ignored-attributes", "-Wno-unknown-pragmas"),
    *("-Wno-inconsistent-dllimport", "-D_NTOSKRNL_", "-Wl,--entry,DllMain"),
)


@dataclass(frozen=True, slots=True)
class Names:
    """What ours supplies and uses, each with the bytes of its arguments on x86."""

    supplied: Mapping[str, int]
    supplied_x86: Mapping[str, int]
    used: Mapping[str, int]
    used_fastcall: Mapping[str, int]
    used_data: Mapping[str, int]


def read_names() -> Names:
    """The lists in `exports.toml`."""
    return Names(**tomllib.loads((SOURCES / "exports.toml").read_text(encoding="utf-8")))


def definition(names: Names, arch: str, wine: Sequence[str]) -> str:
    """The exports of ours, where Wine's own has the exports `wine`: a module definition file."""
    own = {**names.supplied, **(names.supplied_x86 if arch == "x86" else {})}
    lines = [f"{name}={_symbol(name, size, arch)}" if arch == "x86" else name for name, size in own.items()]
    lines += [f"{name}={_WINE}.{name}" for name in wine if name not in own]
    return _module(_SYSTEM, lines)


def imports(names: Names, arch: str) -> str:
    """What ours imports from Wine's own; what both have is called `wine_NAME` there."""
    lines = []
    for name, size in names.used.items():
        own = f"wine_{name}" if name in names.supplied else name
        lines.append(f"{_symbol(own, size, arch)} == {name}")
    for name, size in names.used_fastcall.items():
        lines.append(f"@{name}@{size} == {name}" if arch == "x86" else name)
    return _module(f"{_WINE}.dll", [*lines, *(f"{name} DATA" for name in names.used_data)])


def build(arch: str, wine: Path, work: Path) -> Mapping[str, bytes]:
    """The two files for the system directory, by name. `wine` is Wine's own; `work` an empty directory."""
    data, (target, machine) = wine.read_bytes(), _MACHINES[arch]
    names = read_names()
    work.mkdir(parents=True, exist_ok=True)
    exported, imported = work / "ntoskrnl.def", work / "ntoswine.def"
    exported.write_text(definition(names, arch, PortableExecutable(data, wine).exports()))
    imported.write_text(imports(names, arch))
    zig, library, made = _zig(), work / "libntoswine.a", work / _SYSTEM
    _run([str(zig), "dlltool", "-m", machine, "-d", str(imported), "-l", str(library)])
    headers = zig.parent / "lib" / "libc" / "include" / "any-windows-any"
    include = [part for path in (headers, headers / "ddk") for part in ("-isystem", str(path))]
    sources = [str(path) for path in sorted(SOURCES.glob("*.c"))]
    inputs = [*sources, str(exported), str(library), "-lntdll", "-lkernel32"]
    _run([str(zig), "cc", "-target", target, *_FLAGS, *include, *inputs, "-o", str(made)])
    return {_SYSTEM: made.read_bytes(), f"{_WINE}.dll": unmarked(data, wine)}


def makers() -> list[Path]:
    """The files of the project that decide what `build` makes."""
    return [Path(__file__), *sorted(path for path in SOURCES.iterdir() if path.suffix in (".c", ".h", ".toml"))]


def _symbol(name: str, size: int, arch: str) -> str:
    return f"{name}@{size}" if arch == "x86" else name


def _module(name: str, lines: Sequence[str]) -> str:
    return "\n".join([f"LIBRARY {name}", "EXPORTS", *lines]) + "\n"


def _zig() -> Path:
    """The compiler in the environment that the harness runs in."""
    zig = Path(sysconfig.get_path("purelib")) / "ziglang" / "zig"
    if not zig.exists():
        raise SetupError(f"{zig} is missing", hint=_HINT)
    return zig


def _run(argv: Sequence[str]) -> None:
    host_tool.run(argv, what="cannot build ntoskrnl.exe for Wine", hint=_HINT)
