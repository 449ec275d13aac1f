"""A kernel built here: what is asked of its configuration, and what of it is kept. A toy stands for the source."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import SetupError
from harness.events import RecordingProgress
from harness.images import source_kernel
from harness.images.debs import Package
from harness.images.kernel_config import lost, options
from harness.images.linux_root import RECIPE
from harness.images.source_kernel import BuiltKernel, SourceKernel

WANTED = '# Why.\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_NAME="-debug"\n'

# Understands the targets that the recipe asks for.
TOY = """
allnoconfig:
	@cat $(KCONFIG_ALLCONFIG) > .config
	@mkdir -p include/generated scripts arch/x86/boot arch/x86/include tools/objtool drivers
	@touch include/generated/autoconf.h scripts/mod arch/x86/Makefile tools/objtool/objtool drivers/odd.o
bzImage:
	@test -z "$$DEBUG" || { echo DEBUG=$$DEBUG reached the kernel; exit 1; }
	@test "$(ARCH)" = x86_64
	@echo kernel > arch/x86/boot/bzImage
	@echo symbols > System.map
modules:
	@echo > Module.symvers
kernelrelease:
	@echo 6.1.1-debug
"""


@pytest.fixture
def recipe(tmp_path: Path) -> SourceKernel:
    config = tmp_path / "debug.config"
    config.write_text(WANTED)
    return SourceKernel("amd64", "linux-source-6.1", config)


def package(directory: Path, makefile: str) -> dict[Package, Path]:
    """A package of a source as Debian makes them, with `makefile` as its only file."""
    tree, content = directory / "linux-source-6.1", directory / "content"
    archive = content / "usr" / "src" / "linux-source-6.1.tar.xz"
    for folder in (tree, archive.parent, content / "DEBIAN"):
        folder.mkdir(parents=True)
    (tree / "Makefile").write_text(makefile)
    (content / "DEBIAN" / "control").write_text(
        "Package: linux-source-6.1\nVersion: 1\nArchitecture: all\nMaintainer: us\nDescription: toy\n"
    )
    subprocess.run(["tar", "-cJf", archive, "-C", directory, tree.name], check=True)
    deb = directory / "source.deb"
    subprocess.run(["dpkg-deb", "--build", content, deb], check=True, stdout=subprocess.DEVNULL)
    return {Package("linux-source-6.1", "1", "all", deb.stat().st_size, "", deb.name, "amd64"): deb}


def build(recipe: SourceKernel, directory: Path, makefile: str, progress: RecordingProgress) -> BuiltKernel:
    into, work = directory / "new", directory / "work"
    into.mkdir()
    work.mkdir()
    recipe.build(package(directory, makefile), into, work=work, progress=progress)
    return recipe.open(into)


def test_a_configuration_has_options_that_are_set_and_options_that_are_not() -> None:
    assert options(WANTED) == {"CONFIG_A": "y", "CONFIG_B": "n", "CONFIG_NAME": '"-debug"'}


@pytest.mark.parametrize(
    ("actual", "missing"),
    [
        ('CONFIG_A=y\nCONFIG_C=y\nCONFIG_NAME="-debug"\n', []),
        ('# CONFIG_A is not set\nCONFIG_NAME="-debug"\n', ["CONFIG_A=y (it is n)"]),
        ('CONFIG_B=y\nCONFIG_NAME="-debug"\n', ["CONFIG_A=y (it is n)", "CONFIG_B=n (it is y)"]),
        ("CONFIG_A=m\n", ["CONFIG_A=y (it is m)", 'CONFIG_NAME="-debug" (it is n)']),
    ],
)
def test_an_option_that_does_not_stick_is_lost(actual: str, missing: list[str]) -> None:
    assert lost(WANTED, actual) == missing


def test_the_projects_own_configuration_asks_for_what_the_cell_promises() -> None:
    wanted = options((RECIPE / "debug.config").read_text())
    promised = (
        "KASAN",
        "PROVE_LOCKING",
        "DEBUG_ATOMIC_SLEEP",
        "DEBUG_KMEMLEAK",
        "PAGE_TABLE_CHECK_ENFORCED",
        "DEBUG_VM",
    )
    assert [option for option in promised if wanted.get(f"CONFIG_{option}") != "y"] == []


def test_a_kernel_is_built_and_what_modules_are_built_with_is_kept(
    recipe: SourceKernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEBUG", "1")
    progress = RecordingProgress()

    built = build(recipe, tmp_path, TOY, progress)

    assert built.vmlinuz.read_text() == "kernel\n"
    assert built.release == "6.1.1-debug"
    kept = {str(path.relative_to(built.headers)) for path in built.headers.rglob("*") if path.is_file()}
    assert kept == {
        ".config",
        "Makefile",
        "Module.symvers",
        "arch/x86/Makefile",
        "include/generated/autoconf.h",
        "scripts/mod",
        "tools/objtool/objtool",
    }
    assert [line.partition(" ...")[2] for line in progress.lines] == [" done"] * 3


def test_a_configuration_that_the_kernel_does_not_take_stops_the_build(recipe: SourceKernel, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"debug.config: .* does not take CONFIG_A=y \(it is n\)"):
        build(recipe, tmp_path, TOY.replace("@cat", "@grep -v CONFIG_A"), RecordingProgress())


def test_a_kernel_that_does_not_compile_shows_the_compilers_words(recipe: SourceKernel, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"mm/slub\.c: error") as caught:
        build(recipe, tmp_path, TOY.replace("@echo >", "@echo mm/slub.c: error >&2; false >"), RecordingProgress())
    assert "cannot build the kernel" in caught.value.message


def test_a_missing_tool_is_named_with_what_installs_it(
    recipe: SourceKernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_kernel, "_TOOLS", ("make", "no-such-tool"))
    with pytest.raises(SetupError, match=r"needs no-such-tool \(run: make setup\)"):
        build(recipe, tmp_path, TOY, RecordingProgress())


def test_the_key_changes_with_the_configuration_and_the_package(recipe: SourceKernel) -> None:
    before = recipe.key()
    assert replace(recipe, package="linux-source-6.12").key() != before
    recipe.config.write_text(WANTED + "CONFIG_D=y\n")
    assert recipe.key() != before


def test_a_missing_configuration_is_named(recipe: SourceKernel) -> None:
    recipe.config.unlink()
    with pytest.raises(SetupError, match=r"debug\.config is missing"):
        recipe.key()
