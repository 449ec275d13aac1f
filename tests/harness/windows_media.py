"""Media that look like Microsoft's: what the tests of real Windows read."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from pycdlib import PyCdlib

HEADER_BYTES = 208
ARCHES = {"x86": "0", "amd64": "9", "arm64": "12"}


def wim(*images: tuple[str, str, int, bool]) -> bytes:
    """An image file of nothing but header and description; each image has name, architecture, build, server."""
    entries = "".join(
        f'<IMAGE INDEX="{index}"><WINDOWS><ARCH>{ARCHES[arch]}</ARCH><VERSION><MAJOR>10</MAJOR><BUILD>{build}</BUILD>'
        f"</VERSION><INSTALLATIONTYPE>{'Server' if server else 'Client'}</INSTALLATIONTYPE></WINDOWS>"
        f"<NAME>{name}</NAME></IMAGE>"
        for index, (name, arch, build, server) in enumerate(images, 1)
    )
    text = f"<WIM><TOTALBYTES>1</TOTALBYTES>{entries}</WIM>".encode("utf-16")
    header = bytearray(HEADER_BYTES)
    header[:8] = b"MSWIM\0\0\0"
    struct.pack_into("<II", header, 8, HEADER_BYTES, 0x10D00)
    struct.pack_into("<QQQ", header, 72, len(text) | 2 << 56, HEADER_BYTES, len(text))
    return bytes(header) + text


def medium(path: Path, files: Mapping[str, bytes], *, boot: bytes = b"", label: str = "CCCOMA_X64FRE") -> Path:
    """An ISO image with `files` in UDF only, as on Microsoft's media, that starts with `boot` if there is one."""
    iso = PyCdlib()
    iso.new(interchange_level=3, udf="2.60", vol_ident=label)
    made: set[str] = set()
    for name, content in files.items():
        for directory in directories(name):
            if directory not in made:
                iso.add_directory(udf_path=directory)
                made.add(directory)
        iso.add_fp(io.BytesIO(content), len(content), udf_path=f"/{name}")
    if boot:
        iso.add_fp(io.BytesIO(boot), len(boot), iso_path="/BOOT.BIN;1", udf_path="/boot.bin")
        iso.add_eltorito("/BOOT.BIN;1", "/BOOT.CAT;1", udf_bootcatfile="/boot.cat", boot_load_size=len(boot) // 512)
    iso.write(str(path))
    iso.close()
    return path


def directories(name: str) -> Sequence[str]:
    steps = name.split("/")[:-1]
    return ["/" + "/".join(steps[: count + 1]) for count in range(len(steps))]
