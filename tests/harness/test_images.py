"""Images: built whole or not at all, found in no time, and fit to boot and to build modules with."""

from __future__ import annotations

import hashlib
import io
import multiprocessing
import os
import resource
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from harness.errors import ConfigError, SetupError
from harness.events import Progress, RecordingProgress
from harness.images import linux
from harness.images.cpio import parse
from harness.images.debs import AptRoot, Package
from harness.images.headers import relocate
from harness.images.linux import BuiltImage, LinuxImage
from harness.images.modules import module_name
from harness.images.store import ImageStore


@dataclass(frozen=True)
class Fake:
    """A recipe without packages: writes one file of `size` bytes, in steps that a test can interrupt."""

    name: str = "fake"
    suite: str = ""
    size: int = 1000
    fail: bool = False
    hold: float = 0.0
    log: Path | None = None

    def key(self) -> str:
        return hashlib.sha256(str(self.size).encode()).hexdigest()

    def resolve(self, apt: AptRoot) -> Sequence[Package]:
        return []

    def build(
        self, files: Mapping[Package, Path], into: Path, *, work: Path, progress: Progress
    ) -> Mapping[str, object]:
        if self.log:
            with self.log.open("a") as log:
                log.write("built\n")
        (into / "half").write_text("made")
        time.sleep(self.hold)
        if self.fail:
            raise SetupError("the recipe failed")
        (into / "data").write_bytes(bytes(self.size))
        return {"size": self.size}

    def open(self, directory: Path) -> Path:
        return directory


def leftovers(root: Path) -> list[str]:
    """What is below `root` and not a lock or apt's."""
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.name != "debs" and "lock" not in p.name)


def test_an_image_is_built_once_and_then_found_without_building(tmp_path: Path) -> None:
    store, log = ImageStore(tmp_path), tmp_path.parent / "log"
    recipe = Fake(log=log)

    assert store.find(recipe) is None
    first = store.ensure(recipe)
    assert store.ensure(recipe) == store.find(recipe) == first
    assert (first / "data").stat().st_size == 1000
    assert log.read_text() == "built\n"
    log.unlink()


def test_another_recipe_gives_another_image_beside_the_first(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)

    assert store.ensure(Fake(size=1)) != store.ensure(Fake(size=2))
    assert store.find(Fake(size=1)) is not None


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="the recipe failed"):
        ImageStore(tmp_path).ensure(Fake(fail=True))

    assert leftovers(tmp_path) == []


def build_slowly(root: Path, hold: float, log: Path | None = None, name: str = "fake") -> None:
    """For a process of its own."""
    ImageStore(root).ensure(Fake(hold=hold, log=log, name=name))


def test_a_killed_build_leaves_nothing_that_is_used_and_the_next_one_clears_it(tmp_path: Path) -> None:
    builder = multiprocessing.get_context("spawn").Process(target=build_slowly, args=(tmp_path, 60.0))
    builder.start()
    deadline = time.monotonic() + 30
    while not (tmp_path / "tmp-fake/new/half").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(builder.pid or 0, signal.SIGKILL)
    builder.join()

    store = ImageStore(tmp_path)
    assert store.find(Fake()) is None
    built = store.ensure(Fake())
    assert (built / "data").exists()
    assert not (tmp_path / "tmp-fake").exists()


def test_two_builders_take_turns_and_the_second_uses_the_first_s_image(tmp_path: Path) -> None:
    log = tmp_path / "log"
    context = multiprocessing.get_context("spawn")
    builders = [context.Process(target=build_slowly, args=(tmp_path / "store", 0.5, log)) for _ in range(2)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join(60)

    assert [builder.exitcode for builder in builders] == [0, 0]
    assert log.read_text() == "built\n"


def test_waiting_for_another_builder_is_said(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    other = context.Process(target=build_slowly, args=(tmp_path, 2.0))
    other.start()
    while not (tmp_path / "tmp-fake/new/half").exists():
        time.sleep(0.01)
    progress = RecordingProgress()

    ImageStore(tmp_path).ensure(Fake(), progress=progress)
    other.join()

    assert "wait for another build" in progress.lines[0]


def test_another_recipe_need_not_wait_and_leaves_a_running_build_alone(tmp_path: Path) -> None:
    slow = multiprocessing.get_context("spawn").Process(target=build_slowly, args=(tmp_path, 60.0, None, "slow"))
    slow.start()
    while not (tmp_path / "tmp-slow/new/half").exists():
        time.sleep(0.01)
    progress = RecordingProgress()

    ImageStore(tmp_path).ensure(Fake(), progress=progress)

    assert slow.is_alive()
    assert (tmp_path / "tmp-slow/new/half").exists()
    assert progress.lines == ["build image fake ... done"]
    slow.kill()
    slow.join()


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may become larger than 64 kB, which fails as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_says_so_and_leaves_nothing_half_made(tmp_path: Path, small_files: None) -> None:
    with pytest.raises(SetupError, match="no space left") as caught:
        ImageStore(tmp_path).ensure(Fake(size=1_000_000))

    assert "cannot build image fake" in caught.value.message
    assert leftovers(tmp_path) == []


def test_pruning_keeps_what_the_recipes_use(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    kept, old = store.ensure(Fake(size=1)), store.ensure(Fake(size=2))

    assert store.prune([Fake(size=1)]) == 1
    assert kept.exists()
    assert not old.exists()
    assert store.find(Fake(size=2)) is None


def test_a_recipe_s_key_changes_with_its_data_and_with_the_guest_s_own_files(tmp_path: Path) -> None:
    shutil.copytree(linux.AMD64.recipe, tmp_path / "linux")
    moved = replace(linux.AMD64, recipe=tmp_path / "linux")
    assert moved.key() == linux.AMD64.key()
    (tmp_path / "linux/init").write_text("#!/bin/sh\n")

    keys = {moved.key(), linux.AMD64.key(), linux.X86.key(), replace(linux.AMD64, compression="gzip").key()}

    assert len(keys) == 4


def test_an_unknown_architecture_or_compression_is_refused() -> None:
    with pytest.raises(ConfigError, match="arm64"):
        LinuxImage("arm64", "linux-image-arm64")
    with pytest.raises(ConfigError, match="rar"):
        replace(linux.AMD64, compression="rar")


@pytest.mark.parametrize("file", ["virtio-rng.ko", "virtio_rng.ko.xz"])
def test_a_module_is_known_by_the_kernel_s_name_for_it(file: str) -> None:
    assert module_name(file) == "virtio_rng"


def test_headers_that_lack_the_kernel_s_release_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"no usr/src/linux-headers-6[.]1[.]0-1"):
        relocate(tmp_path, "6.1.0-1")


# Real images, from the developer's own cache; built first where it is cold.


@pytest.fixture(scope="module", params=["amd64", "x86"])
def recipe(request: pytest.FixtureRequest) -> LinuxImage:
    return linux.AMD64 if request.param == "amd64" else linux.X86


@pytest.fixture(scope="module")
def image(recipe: LinuxImage) -> BuiltImage:
    try:
        return ImageStore().ensure(recipe)
    except SetupError as error:
        if "apt" in str(error):
            pytest.skip(f"no Debian packages: {error.message}")
        raise


def test_a_finished_image_is_found_in_less_than_20_ms(recipe: LinuxImage, image: BuiltImage) -> None:
    store = ImageStore()
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        assert store.ensure(recipe) == image
        times.append(time.perf_counter() - begin)

    assert min(times) < 0.020


def test_the_root_has_each_module_after_those_it_needs_and_can_be_appended_to(image: BuiltImage) -> None:
    data = image.initrd.read_bytes()
    root = {entry.path: entry for entry in parse(data)}
    order = root["etc/supdrv/modules"].data.decode().splitlines()
    names = [module_name(Path(path).name) for path in order]

    assert len(data) % 4 == 0
    assert len(data) < 12_000_000
    assert all(path.lstrip("/") in root for path in order)
    assert names.index("virtio_ring") < names.index("virtio_pci")
    assert names.index("failover") < names.index("net_failover") < names.index("virtio_net")
    assert {"virtio_console", "virtio_rng", "pvpanic_pci"} <= set(names)
    assert stat.S_IMODE(root["root/.ssh"].mode) == 0o700


def test_every_program_in_the_root_is_of_the_guest_s_word_size(recipe: LinuxImage, image: BuiltImage) -> None:
    wanted = {"amd64": 64, "x86": 32}[recipe.arch]
    files = [e for e in parse(image.initrd.read_bytes()) if e.data.startswith(b"\x7fELF")]

    assert len(files) > 20
    assert {ELFFile(io.BytesIO(entry.data)).elfclass for entry in files} == {wanted}


def test_a_module_builds_without_warnings_from_the_headers_alone(
    recipe: LinuxImage, image: BuiltImage, tmp_path: Path
) -> None:
    (tmp_path / "Kbuild").write_text("obj-m := hello.o\n")
    (tmp_path / "hello.c").write_text(
        "// SPDX-License-Identifier: MIT\n#include <linux/module.h>\n"
        "static int __init hello_init(void) { return 0; }\nmodule_init(hello_init);\n"
        'MODULE_LICENSE("Dual MIT/GPL");\nMODULE_DESCRIPTION("hello");\n'
    )
    arch = {"amd64": "x86_64", "x86": "i386"}[recipe.arch]
    made = subprocess.run(
        ["make", "-C", image.headers, f"M={tmp_path}", f"ARCH={arch}", "W=1", "modules"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert made.returncode == 0, made.stderr
    assert "warning" not in (made.stdout + made.stderr).lower()
    with (tmp_path / "hello.ko").open("rb") as stream:
        assert ELFFile(stream).elfclass == {"amd64": 64, "x86": 32}[recipe.arch]
    assert f"vermagic={image.kernel_release} ".encode() in (tmp_path / "hello.ko").read_bytes()
