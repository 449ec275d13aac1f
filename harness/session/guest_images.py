"""What a guest boots: which recipes its definition stands for, and the image that they make together."""

from __future__ import annotations

from pathlib import Path

from harness.config import Guest
from harness.events import Progress
from harness.images.linux import BuiltImage, LinuxImage
from harness.images.linux_initrd import LinuxInitrd
from harness.images.linux_root import RECIPE
from harness.images.source_kernel import BuiltKernel, SourceKernel
from harness.images.store import ImageStore
from harness.targets import GuestImage


def find(guest: Guest) -> GuestImage | None:
    """The image of `guest` if it has been built."""
    store = ImageStore()
    if not guest.image.kernel_config:
        built = store.find(_debian_image(guest))
        return None if built is None else _whole(built)
    kernel, initrd = store.find(_own_kernel(guest)), store.find(_initrd(guest))
    return None if kernel is None or initrd is None else _joined(kernel, initrd)


def ensure(guest: Guest, progress: Progress) -> GuestImage:
    """The image of `guest`, built unless it is there."""
    store = ImageStore()
    if not guest.image.kernel_config:
        return _whole(store.ensure(_debian_image(guest), progress=progress))
    kernel = store.ensure(_own_kernel(guest), progress=progress)
    return _joined(kernel, store.ensure(_initrd(guest), progress=progress))


def _debian_image(guest: Guest) -> LinuxImage:
    return LinuxImage(arch=guest.arch, kernel_package=guest.image.kernel_package, suite=guest.image.suite)


def _own_kernel(guest: Guest) -> SourceKernel:
    return SourceKernel(
        arch=guest.arch,
        package=guest.image.kernel_package,
        config=RECIPE / guest.image.kernel_config,
        suite=guest.image.suite,
    )


def _initrd(guest: Guest) -> LinuxInitrd:
    return LinuxInitrd(arch=guest.arch, suite=guest.image.suite)


def _whole(built: BuiltImage) -> GuestImage:
    return GuestImage(kernel=built.vmlinuz, initrd=built.initrd, release=built.kernel_release, headers=built.headers)


def _joined(kernel: BuiltKernel, initrd: Path) -> GuestImage:
    return GuestImage(kernel=kernel.vmlinuz, initrd=initrd, release=kernel.release, headers=kernel.headers)
