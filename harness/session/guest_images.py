"""What a guest boots: which recipes its definition stands for, and the image that they make together."""

from __future__ import annotations

from pathlib import Path

from harness.config import DebianImage, FreeBsdDisk, FreeBsdKernel, Guest, Os2Image, WineImage
from harness.errors import CellUnavailable
from harness.events import Progress
from harness.images.freebsd_images import FreeBsdImages
from harness.images.linux import BuiltImage, LinuxImage
from harness.images.linux_initrd import LinuxInitrd
from harness.images.linux_root import RECIPE
from harness.images.os2 import BuiltOs2
from harness.images.os2 import Os2Image as Os2Recipe
from harness.images.source_kernel import BuiltKernel, SourceKernel
from harness.images.store import ImageStore
from harness.images.wine import BuiltWine
from harness.images.wine import WineImage as WineRecipe
from harness.targets import GuestImage


def find(guest: Guest) -> GuestImage | None:
    """The image of `guest` if it has been built."""
    store = ImageStore()
    if isinstance(guest.image, FreeBsdKernel):
        return _own_freebsd(guest.image)
    if isinstance(guest.image, FreeBsdDisk):
        return _freebsd_disk(guest, guest.image)
    if isinstance(guest.image, Os2Image):
        os2 = store.find(Os2Recipe())
        return None if os2 is None else _of_os2(os2)
    if isinstance(guest.image, WineImage):
        wine = store.find(_wine_image(guest, guest.image))
        return None if wine is None else _of_wine(wine)
    if not guest.image.kernel_config:
        built = store.find(_debian_image(guest, guest.image))
        return None if built is None else _whole(built)
    kernel, initrd = store.find(_own_kernel(guest, guest.image)), store.find(_initrd(guest, guest.image))
    return None if kernel is None or initrd is None else _joined(kernel, initrd)


def ensure(guest: Guest, progress: Progress) -> GuestImage:
    """The image of `guest`, built unless it is there."""
    store = ImageStore()
    if isinstance(guest.image, FreeBsdKernel | FreeBsdDisk):
        return _there(guest)
    if isinstance(guest.image, Os2Image):
        return _of_os2(store.ensure(Os2Recipe(), progress=progress))
    if isinstance(guest.image, WineImage):
        return _of_wine(store.ensure(_wine_image(guest, guest.image), progress=progress))
    if not guest.image.kernel_config:
        return _whole(store.ensure(_debian_image(guest, guest.image), progress=progress))
    kernel = store.ensure(_own_kernel(guest, guest.image), progress=progress)
    return _joined(kernel, store.ensure(_initrd(guest, guest.image), progress=progress))


def _own_freebsd(image: FreeBsdKernel) -> GuestImage | None:
    """Nothing is built: it is there or not. Its release is the kernel's own to tell, once it runs."""
    if not image.kernel.is_file():
        return None
    return GuestImage(
        kernel=image.kernel, initrd=Path(), release="FreeBSD", headers=image.sources, options=image.options
    )


def _freebsd_disk(guest: Guest, image: FreeBsdDisk) -> GuestImage | None:
    """One's own, or the one that was fetched for the guest."""
    if image.disk != Path():
        disk, release = image.disk, image.release
    else:
        fetched = FreeBsdImages().find(guest.name)
        if fetched is None:
            return None
        disk, release = fetched.disk, fetched.facts().get("release", "")
    if not disk.is_file():
        return None
    return GuestImage(
        kernel=disk, initrd=Path(), release=f"FreeBSD {release}", headers=image.sources, options=image.options
    )


def _there(guest: Guest) -> GuestImage:
    """What nobody here can build."""
    found = find(guest)
    if found is None:
        raise unavailable(guest)
    return found


def is_probe(guest: Guest) -> bool:
    """Whether it is made here from a Linux kernel for AMD64, so that its boot tells whether KVM works."""
    return guest.machine == "amd64" and not isinstance(guest.image, FreeBsdKernel | FreeBsdDisk)


def unavailable(guest: Guest) -> CellUnavailable:
    """Why `guest` cannot run while `find` finds nothing, and what to do about it."""
    image = guest.image
    if isinstance(image, FreeBsdKernel):
        return CellUnavailable(f"guest {guest.name!r} has no kernel at {image.kernel}", hint="see docs/freebsd.md")
    if isinstance(image, FreeBsdDisk) and image.disk != Path():
        return CellUnavailable(f"guest {guest.name!r} has no disk at {image.disk}", hint="see docs/freebsd.md")
    if isinstance(image, FreeBsdDisk):
        return CellUnavailable(f"guest {guest.name!r} has no image", hint=f"harness images fetch {guest.name}")
    return CellUnavailable(f"guest {guest.name!r} has no image", hint=f"build it: {_setup_command(guest)}")


def _setup_command(guest: Guest) -> str:
    """What builds the image of `guest`; where all of its cells are on request, one must be named."""
    if all(cell.on_request for cell in guest.cells.values()):
        return f"harness setup --also {next(iter(guest.cells))}"
    return "harness setup"


def _debian_image(guest: Guest, image: DebianImage) -> LinuxImage:
    return LinuxImage(arch=guest.arch, kernel_package=image.kernel_package, suite=image.suite)


def _own_kernel(guest: Guest, image: DebianImage) -> SourceKernel:
    config = RECIPE / image.kernel_config
    return SourceKernel(arch=guest.arch, package=image.kernel_package, config=config, suite=image.suite)


def _initrd(guest: Guest, image: DebianImage) -> LinuxInitrd:
    return LinuxInitrd(arch=guest.arch, suite=image.suite)


def _wine_image(guest: Guest, image: WineImage) -> WineRecipe:
    clients = tuple(sorted({cell.client for cell in guest.cells.values()}))
    return WineRecipe(arch=guest.arch, kernel_package=image.kernel_package, suite=image.suite, clients=clients)


def _whole(built: BuiltImage) -> GuestImage:
    return GuestImage(kernel=built.vmlinuz, initrd=built.initrd, release=built.kernel_release, headers=built.headers)


def _joined(kernel: BuiltKernel, initrd: Path) -> GuestImage:
    return GuestImage(kernel=kernel.vmlinuz, initrd=initrd, release=kernel.release, headers=kernel.headers)


def _of_wine(built: BuiltWine) -> GuestImage:
    return GuestImage(kernel=built.vmlinuz, initrd=built.initrd, release=built.release)


def _of_os2(built: BuiltOs2) -> GuestImage:
    return GuestImage(kernel=built.kernel, initrd=built.archive, release=built.release)
