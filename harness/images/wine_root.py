"""What of Wine a guest runs: programs and libraries that one driver and the agent need, and Wine's directory.

Wine's packages have a thousand libraries. Taken are a few programs and all that they are linked with, without what
is there for debuggers; files of the system directory are links to them, as Wine itself would find them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from harness.errors import SetupError
from harness.images import linux_root, pe, wine_ntoskrnl
from harness.images.cpio import Entry, directory, regular, symlink
from harness.images.pe import PortableExecutable

RECIPE = Path(__file__).parents[2] / "guests" / "windows"
"""The directory of the guests' own files."""

PREFIX = "var/lib/wine"
"""Wine's directory in the guest."""

_SYSTEM = "system32"

TRIPLETS = {"amd64": "x86_64-linux-gnu", "x86": "i386-linux-gnu"}

_PE_NAMES = {"amd64": "x86_64", "x86": "i386"}
_ZLIB = {"amd64": "usr/x86_64-w64-mingw32/lib/zlib1.dll", "x86": "usr/i686-w64-mingw32/lib/zlib1.dll"}
_LOADERS = {"amd64": ("wine64", "wineserver64"), "x86": ("wine", "wineserver32")}
_ROOTS = (
    *("wineboot.exe", "services.exe", "winedevice.exe", "conhost.exe", "hostname.exe"),
    *("hal.dll", "ksecdd.sys", "cng.sys", "bcrypt.dll", "ucrtbase.dll", "apisetschema.dll"),
    *("shell32.dll", "ole32.dll"),  # wineboot uses them without being linked with them
)
_OF_NEWER_WINE = ("bcryptprimitives.dll",)  # what bcrypt.dll is linked with, or loads, where it is there
_NLS = ("c_1252", "c_20127", "c_437", "l_intl", "locale", "normnfc", "sortdefault")
_OPENED_BY_NAME = ("libgcc_s.so.1",)
_REGISTRY = ("system.reg", "user.reg", "userdef.reg")
_DIRECTORIES = (
    "windows/temp",
    "windows/inf",
    "windows/system32/drivers",
    "users/root/AppData/Local/Temp",
    "users/root/AppData/Roaming",
    "users/Public",
    "ProgramData",
    "Program Files",
)

# Native first: where there is no ntoskrnl.exe of ours yet, while the image is made, Wine's own serves.
_SETTINGS = """\
export HOME=/root USER=root WINEPREFIX=/{prefix} WINEARCH={wine_arch}
export WINELOADER=/usr/lib/wine/{loader} WINESERVER=/usr/lib/wine/{server}
export WINEDLLOVERRIDES="ntoskrnl.exe=n,b;winedbg.exe,explorer.exe,winemenubuilder.exe,mscoree,mshtml=d"
export WINEDEBUG="err+all,fixme-all,warn+debugstr,fixme+ntoskrnl"
"""


def makers() -> list[Path]:
    """The files of the project that decide what is in the root."""
    return [
        Path(__file__),
        Path(pe.__file__),
        *(RECIPE / name for name in ("rc", "wine-run", "prefix", "settings.reg")),
        *wine_ntoskrnl.makers(),
    ]


def settings(arch: str) -> str:
    """The environment of every Wine program in a guest with a driver of word size `arch`, for a shell."""
    loader, server = _LOADERS[arch]
    wine_arch = "win64" if arch == "amd64" else "win32"
    return _SETTINGS.format(prefix=PREFIX, wine_arch=wine_arch, loader=loader, server=server)


def complete(packages: Path, arch: str) -> None:
    """Do what the packages' scripts would have done: Wine's loader takes zlib for one of its own libraries."""
    library = _pe_directory(packages, arch) / "zlib1.dll"
    library.write_bytes(pe.marked((packages / _ZLIB[arch]).read_bytes()))


def programs(packages: Path, arch: str) -> list[Entry]:
    """Wine's programs of word size `arch` for the guest, from its unpacked `packages`."""
    found = {entry.path: entry for entry in _windows_programs(packages, arch)}
    names = {Path(path).stem for path in found}
    unix = _wine_directory(packages, arch) / f"{_PE_NAMES[arch]}-unix"
    files = [unix / "ntdll.so", *sorted(path for path in unix.glob("*.so") if path.stem in names - {"ntdll"})]
    files += [packages / "usr" / "lib" / "wine" / name for name in _LOADERS[arch]]
    for file in files:
        path = str(file.relative_to(packages))
        found[path] = regular(path, file.read_bytes(), mode=0o755)
        for library in linux_root.libraries_of(file, packages):
            found.setdefault(library.path, library)
    for name in _OPENED_BY_NAME:
        file = next(place / name for place in _library_places(packages, arch) if (place / name).exists())
        path = f"usr/lib/{TRIPLETS[arch]}/{name}"
        found[path] = regular(path, file.read_bytes(), mode=0o755)
    for name in _NLS:
        path = f"usr/share/wine/nls/{name}.nls"
        found[path] = regular(path, (packages / path).read_bytes())
    return list(found.values())


def system_directory(arch: str, driver: str) -> str:
    """The directory below `windows` of what programs of word size `arch` load, where drivers are of `driver`."""
    return _SYSTEM if arch == driver else "syswow64"


def prefix(made: Path, systems: Mapping[str, Iterable[str]], ntoskrnl: Mapping[str, bytes]) -> list[Entry]:
    """Wine's directory in the guest: the registry from `made`, and in each of its system directories links to its
    programs in `systems` (paths in the guest), but for what `ntoskrnl` has in their place in that of drivers."""
    base = f"{PREFIX}/drive_c"
    found = [regular(f"{PREFIX}/{name}", (made / name).read_bytes()) for name in _REGISTRY]
    # Says that the directory fits the Wine it is used with, whatever the dates are.
    found.append(regular(f"{PREFIX}/.update-timestamp", b"disable\n"))
    found.append(regular("usr/share/wine/wine.inf", b""))
    found += [symlink(f"{PREFIX}/dosdevices/c:", "../drive_c"), symlink(f"{PREFIX}/dosdevices/z:", "/")]
    found += [directory(f"{base}/{path}") for path in _DIRECTORIES]
    for system, paths in systems.items():
        own = ntoskrnl if system == _SYSTEM else {}
        links = {Path(path).name: path for path in paths if Path(path).name not in own}
        found += [symlink(f"{base}/windows/{system}/{name}", f"/{path}") for name, path in links.items()]
        found += [regular(f"{base}/windows/{system}/{name}", data) for name, data in own.items()]
    return found


def own_files(arch: str) -> list[Entry]:
    """The guest's own scripts."""
    return [
        regular("etc/hosts", b"127.0.0.1 localhost supdrv-guest\n"),
        regular("etc/supdrv/wine", settings(arch).encode()),
        regular("etc/supdrv/rc", (RECIPE / "rc").read_bytes(), mode=0o755),
        regular("usr/sbin/wine-run", (RECIPE / "wine-run").read_bytes(), mode=0o755),
    ]


def is_windows_program(path: str) -> bool:
    """Whether the guest's file `path` belongs in Windows' system directory."""
    return Path(path).parent.name.endswith("-windows")


def ntoskrnl_of(packages: Path, arch: str) -> Path:
    """Wine's own ntoskrnl.exe."""
    return _pe_directory(packages, arch) / "ntoskrnl.exe"


def _windows_programs(packages: Path, arch: str) -> list[Entry]:
    source = _pe_directory(packages, arch)
    found: dict[str, Entry] = {}
    todo = [*_ROOTS, *(name for name in _OF_NEWER_WINE if (source / name).exists())]
    while todo:
        name = todo.pop()
        if name in found:
            continue
        file = source / name
        try:
            program = PortableExecutable(file.read_bytes(), file)
        except FileNotFoundError as error:
            raise SetupError(f"no {name} in Wine's packages", hint="see suite in the guest's TOML") from error
        found[name] = regular(str(file.relative_to(packages)), program.stripped(), mode=0o755)
        todo += program.imports()
    return list(found.values())


def _library_places(packages: Path, arch: str) -> list[Path]:
    """Older packages have some of their libraries outside of /usr."""
    return [packages / "usr" / "lib" / TRIPLETS[arch], packages / "lib" / TRIPLETS[arch]]


def _pe_directory(packages: Path, arch: str) -> Path:
    return _wine_directory(packages, arch) / f"{_PE_NAMES[arch]}-windows"


def _wine_directory(packages: Path, arch: str) -> Path:
    return packages / "usr" / "lib" / TRIPLETS[arch] / "wine"
