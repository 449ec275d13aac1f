"""What a built module for FreeBSD must be, before a guest ever sees it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import ziglang

from harness.targets.freebsd_build import preprocess_freebsd_driver
from harness.targets.kld import Module, declared_names, read_module

HEADERS = Path(ziglang.__file__).parent / "lib/libc/include"
"""FreeBSD's headers, as the cross compiler has them."""

_FORMS = {"amd64": ("ET_REL", "EM_X86_64"), "x86": ("ET_DYN", "EM_386")}
_MAJOR = 100000  # in a kernel's version


def module_problems(arch: str, driver: Path, *, sources: Path, build: Path) -> list[str]:
    """What is wrong with a module that was built for `arch` with the cross compiler's headers; `build` is a directory
    to preprocess in."""
    module = read_module(driver)
    text = preprocess_freebsd_driver(arch, sources=sources, build=build)
    return [*_form_problems(arch, module), *_undeclared(module, declared_names(text, str(HEADERS)))]


def _form_problems(arch: str, module: Module) -> Iterator[str]:
    if (module.kind, module.machine) != _FORMS[arch]:
        yield f"a {module.kind} for {module.machine}, where the kernel's linker takes {' for '.join(_FORMS[arch])}"
    if module.system != "ELFOSABI_FREEBSD":
        yield f"it is of {module.system}"
    if module.modules != ("supdrv",) or module.versions != {"supdrv": 1}:
        yield f"it says that it is {module.modules} with the versions {dict(module.versions)}"
    kernel = module.kernel
    if kernel is None:
        yield "it does not say which kernels it is for"
    elif not kernel.least <= kernel.most or kernel.least // _MAJOR != kernel.most // _MAJOR:
        yield f"it is for kernels {kernel.least} to {kernel.most}"


def _undeclared(module: Module, declared: frozenset[str]) -> Iterator[str]:
    for name in sorted(module.undefined - declared):
        yield f"it needs {name}, which no header of FreeBSD's kernel declares"
