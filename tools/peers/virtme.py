"""virtme-ng, on the kernel and the root of our own guests.

Its root comes over 9p from a directory: the host's would have it run systemd's services for temporary files, which
takes about ten seconds more under emulation, and it needs udev to name its ports. Here that is a script of a few lines
in a small root.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

from harness.errors import SetupError
from harness.events import Progress, stage
from harness.images import host_tool
from harness.images.debs import AptRoot, Package, unpack
from harness.images.store import MANIFEST, ImageStore
from harness.provision.accelerator import KVM
from harness.targets import GuestImage
from tools.peers.bench import TIMEOUT, Bench, peers_dir
from tools.peers.command import DidNotRun, run
from tools.peers.measured import Outcome

_UDEVD = """#!/bin/sh
mkdir -p /dev/virtio-ports
for port in /sys/class/virtio-ports/*; do
    read -r name <"$port/name" && ln -s "../${port##*/}" "/dev/virtio-ports/$name"
done
"""
_SCRIPT = """
[ "$(uname -r)" = {release} ] || exit 1
insmod /bench/driver.ko || exit 1
for test in $(seq {count}); do /bench/client || exit 1; done
echo {said}
"""
_SAID = "tests passed: {count}"
_PREFIX = "kernel-"


def ensure_kernel(image: GuestImage, progress: Progress) -> Path:
    """The kernel package of `image`, unpacked with all its modules as virtme-ng wants it. An
    older one goes. Raises SetupError."""
    directory = peers_dir() / f"{_PREFIX}{image.kernel.resolve().parent.name}"
    if not directory.exists():
        with stage(progress, f"unpack kernel {image.release} with its modules into {directory}"):
            for old in directory.parent.glob(f"{_PREFIX}*"):
                shutil.rmtree(old)
            new = directory.with_name(f"{directory.name}.new")
            (file,) = AptRoot(ImageStore().root, progress=progress).fetch([_kernel_package(image)])
            unpack(file, new)
            if (new / "boot" / f"vmlinuz-{image.release}").read_bytes() != image.kernel.read_bytes():
                raise SetupError(f"{file.name} is not the kernel of {image.kernel}")
            path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
            depmod = ["depmod", "-b", str(new), image.release]
            host_tool.run(depmod, what="cannot list the modules' dependencies", env={"PATH": path})
            new.rename(directory)
    return directory / "boot" / f"vmlinuz-{image.release}"


def _kernel_package(image: GuestImage) -> Package:
    manifest = json.loads((image.kernel.parent / MANIFEST).read_text())
    packages = [Package(**package) for package in manifest["packages"]]
    name = f"linux-image-{image.release}"
    return next(package for package in packages if package.name in {name, f"{name}-unsigned"})


class Virtme:
    """`vng --exec`: all tests in one boot, or a boot for each of a few."""

    def __init__(self, bench: Bench, kernel: Path, *, boot_each: bool) -> None:
        self._bench = bench
        self._kernel = kernel
        self._boot_each = boot_each

    def __call__(self) -> tuple[Outcome]:
        bench, root = self._bench, self._root()
        boots, count = (bench.boots, 1) if self._boot_each else (1, bench.tests)
        said = _SAID.format(count=count)
        script = _SCRIPT.format(release=bench.lab.image(bench.cell.guest).release, count=count, said=said)
        (root / "bench" / "run").write_text(script)
        begin = time.perf_counter()
        for _ in range(boots):
            if said not in self._vng(root):
                raise DidNotRun("vng ended with status 0, but its tests did not say that they passed")
        return (Outcome(time.perf_counter() - begin, boots * count),)

    def _vng(self, root: Path) -> str:
        bench, guest = self._bench, self._bench.cell.guest
        own = bench.work / "vng"
        own.mkdir(exist_ok=True)
        command: list[str | Path] = [
            bench.tools / "vng",
            "--run",
            self._kernel,
            "--root",
            root,
            "--busybox",
            root / "usr/bin/busybox",
        ]
        command += ["--force-9p", "--cpus", str(guest.cpus), "--memory", f"{guest.memory_mib}M"]
        command += [] if bench.lab.accelerator(guest) == KVM else ["--disable-kvm"]
        path = f"{bench.tools}:{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
        env = {"PATH": path, "TMPDIR": str(own), "HOME": str(own), "XDG_CACHE_HOME": str(own)}
        return run([*command, "--exec", "sh /bench/run"], env=env, cwd=bench.work, timeout=TIMEOUT)

    def _root(self) -> Path:
        """The root of our guests as a directory, with driver and client in it."""
        bench, root = self._bench, self._bench.work / "root"
        if root.exists():
            return root
        root.mkdir()
        initrd, what = bench.lab.image(bench.cell.guest).initrd, "cannot make virtme-ng's root"
        host_tool.run(["cpio", "-id", "--quiet", "-F", str(initrd), "-f", "dev/*"], what=what, cwd=root)
        programs = root / "usr/bin"
        for applet in host_tool.run([str(programs / "busybox"), "--list"], what=what).split():
            if not (programs / applet).exists():
                (programs / applet).symlink_to("busybox")
        _write_program(programs / "udevd", _UDEVD)
        _write_program(programs / "udevadm", "#!/bin/sh\n")
        (root / "bench").mkdir()
        shutil.copy(bench.driver, root / "bench/driver.ko")
        shutil.copy(bench.client, root / "bench/client")
        return root


def _write_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
