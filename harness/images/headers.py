"""The tree that kernel modules are built in, from Debian's headers packages, usable wherever it is put.

Debian's packages expect to be installed below /usr; one line of a Makefile is all that says so.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from harness.errors import SetupError

_ABSOLUTE = re.compile(r"(?<![\w.)/-])/usr/(?=(src/linux-headers-|lib/linux-kbuild-))")
_HERE = "$(dir $(abspath $(lastword $(MAKEFILE_LIST))))"


def relocate(tree: Path, release: str) -> Path:
    """Make the packages unpacked in `tree` (it has `usr/`) independent of where `tree` is.

    Returns the directory to give to `make -C`, below `tree`. Raises SetupError if it would still use the
    host's /usr/src or /usr/lib/linux-kbuild.
    """
    build = tree / "usr" / "src" / f"linux-headers-{release}"
    makefile = build / "Makefile"
    if not makefile.is_file():
        raise SetupError(f"the headers packages have no {makefile.relative_to(tree)}")
    makefile.write_text(_ABSOLUTE.sub(_HERE + "../../", makefile.read_text()))
    for needless in (tree / "lib", tree / "usr" / "share"):
        shutil.rmtree(needless, ignore_errors=True)
    for name in ("scripts", "tools"):
        if (build / name).is_symlink() and not (build / name).resolve().is_relative_to(tree.resolve()):
            raise SetupError(f"{name} of the headers of {release} lies outside of the packages")
    for file in (makefile, build / ".kernelvariables"):
        if file.exists() and _ABSOLUTE.search(file.read_text()):
            raise SetupError(f"{file.name} of the headers of {release} needs files of the host")
    return build
