"""An installation medium of Windows, looked into before anything is started from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pycdlib import PyCdlib
from pycdlib.pycdlibexception import PyCdlibException
from pycdlib.pycdlibio import PyCdlibIO

from harness.errors import SetupError
from harness.images.windows.releases import Release
from harness.images.windows.wim import WimImage, read_images

_IMAGE_FILES = ("install.wim", "install.esd")
_BOTH = ("/x64/sources", "/x86/sources")


@dataclass(frozen=True, slots=True)
class Medium:
    """A medium whose image file was found: where in it, and what can be installed from it."""

    path: Path
    image_file: str
    images: tuple[WimImage, ...]

    def choose(self, release: Release, arch: str, *, name: str = "") -> WimImage:
        """The image of `release` and `arch` that is called `name`; without a name, the last one, which is the
        largest edition where Microsoft orders them. Raises SetupError that lists what there is."""
        fits = [
            image
            for image in self.images
            if image.arch == arch and image.build in release.builds and image.server == release.server
        ]
        wanted = [image for image in fits if not name or image.name == name]
        if wanted:
            return wanted[-1]
        there = ", ".join(f"{image.name!r} ({image.arch}, build {image.build})" for image in self.images) or "none"
        what = f"{release.title} for {arch}" + (f" called {name!r}" if name else "")
        raise SetupError(f"{self.path} has no {what}; its images: {there}", hint=_hint(self.images, fits, arch))


def _hint(images: tuple[WimImage, ...], fits: list[WimImage], arch: str) -> str:
    if fits:
        return "name one of them with --image"
    if not any(image.arch == arch for image in images):
        return f"get the medium for {'x64' if arch == 'amd64' else arch}"
    return "choose another release with --edition, or another medium with --iso"


def look_into(path: Path) -> Medium:
    """What can be installed from the ISO image `path`. Raises SetupError."""
    if not path.is_file():
        raise SetupError(f"{path}: no such file", hint="name the ISO image of Windows with --iso")
    with _opened(path) as iso:
        if any(_present(iso, directory) for directory in _BOTH):
            raise SetupError(
                f"{path} holds x86 and x64 side by side and would ask which to start",
                hint="get a medium for one architecture",
            )
        for name in _IMAGE_FILES:
            found = f"/sources/{name}"
            if _present(iso, found):
                return Medium(path, found, _read(iso, path, found))
    raise SetupError(
        f"{path} has no {' and no '.join(f'sources/{name}' for name in _IMAGE_FILES)}",
        hint="it is no installation medium of Windows, or one whose image file was split",
    )


@contextmanager
def _opened(path: Path) -> Iterator[PyCdlib]:
    iso = PyCdlib()
    try:
        iso.open(str(path))
    except (PyCdlibException, OSError) as error:
        raise SetupError(f"{path} is not a readable ISO image: {error}", hint="download it again") from error
    try:
        yield iso
    finally:
        iso.close()


def _where(iso: PyCdlib, path: str) -> dict[str, str]:
    """How pycdlib is asked for `path`. Microsoft's media have their files in UDF only; repacked ones may not."""
    if iso.has_udf():
        return {"udf_path": path}
    if iso.has_joliet():
        return {"joliet_path": path}
    return {"iso_path": path.upper()}


def _present(iso: PyCdlib, path: str) -> bool:
    try:
        iso.get_record(**_where(iso, path))
    except PyCdlibException:
        return False
    return True


def _read(iso: PyCdlib, medium: Path, path: str) -> tuple[WimImage, ...]:
    try:
        with iso.open_file_from_iso(**_where(iso, path)) as stream:
            return read_images(lambda offset, size: _bytes(stream, offset, size), name=f"{medium}: {path}")
    except (PyCdlibException, OSError) as error:
        raise SetupError(f"{medium}: {path} cannot be read: {error}", hint="download the medium again") from error


def _bytes(stream: PyCdlibIO, offset: int, size: int) -> bytes:
    stream.seek(offset)
    return bytes(stream.read(size))


def needs_file(disc: Path, path: str) -> None:
    """Raises SetupError unless the ISO image `disc` has the file `path`."""
    if not disc.is_file():
        raise SetupError(f"{disc}: no such file")
    with _opened(disc) as iso:
        if not _present(iso, f"/{path}"):
            raise SetupError(f"{disc} has no {path}", hint="is it the disc of virtio drivers for Windows?")
