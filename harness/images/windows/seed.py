"""The seed: a disc with what an installation reads, written and read back. All of its files lie at its root."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path

from pycdlib import PyCdlib
from pycdlib.pycdlibexception import PyCdlibException

from harness.errors import SetupError
from harness.images.host_tool import space_checked

SEED_LABEL = "SUPDRVSEED"
"""The volume's name."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,24}\.[A-Za-z0-9]{1,4}")
"""Names that ISO 9660 (in upper case) and Joliet (as they are) both take."""


def write_seed(files: Mapping[str, bytes], path: Path) -> None:
    """Write `files` (name to content) as an ISO image with Joliet names, and read it back.

    Raises SetupError, and leaves no file, if a name cannot be stored, the disk is full or a byte differs.
    """
    plain = {name: name.replace("-", "_").upper() for name in files}
    bad = sorted(name for name in files if not _NAME.fullmatch(name))
    if bad or len(set(plain.values())) < len(plain):
        raise SetupError(f"names that the seed disc cannot have: {', '.join(bad or sorted(files))}")
    try:
        with space_checked(f"cannot write {path}"):
            _write(files, plain, path)
        _check(files, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def read_seed(path: Path) -> dict[str, bytes]:
    """The files of a disc, by name. Raises SetupError if it cannot be read."""
    iso = PyCdlib()
    try:
        iso.open(str(path))
        try:
            files = [child for child in iso.list_children(joliet_path="/") if child.is_file()]
            names = [child.file_identifier().decode("utf-16-be") for child in files]
            return {name: _content(iso, name) for name in names}
        finally:
            iso.close()
    except (PyCdlibException, OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path} is not a readable disc image: {error}") from error


def _write(files: Mapping[str, bytes], plain: Mapping[str, str], path: Path) -> None:
    iso = PyCdlib()
    try:
        iso.new(interchange_level=3, joliet=3, vol_ident=SEED_LABEL)
        try:
            for name, content in files.items():
                where = f"/{plain[name]};1"
                iso.add_fp(io.BytesIO(content), len(content), iso_path=where, joliet_path=f"/{name}")
            iso.write(str(path))
        finally:
            iso.close()
    except PyCdlibException as error:
        raise SetupError(f"cannot make the seed disc {path}: {error}") from error


def _check(files: Mapping[str, bytes], path: Path) -> None:
    found = read_seed(path)
    wrong = sorted(name for name in files.keys() | found.keys() if files.get(name) != found.get(name))
    if wrong:
        raise SetupError(f"{path} does not read back as it was written: {', '.join(wrong)}")


def _content(iso: PyCdlib, name: str) -> bytes:
    content = io.BytesIO()
    iso.get_file_from_iso_fp(content, joliet_path=f"/{name}")
    return content.getvalue()
