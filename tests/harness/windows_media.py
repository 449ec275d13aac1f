"""Media that look like Microsoft's: what the tests of real Windows read."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from pycdlib import PyCdlib

HEADER_BYTES = 208
SECTOR = 512
UEFI_PLATFORM = 0xEF
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


def medium(path: Path, files: Mapping[str, bytes], *, boot: bytes = b"", uefi: bool = False) -> Path:
    """An ISO image with `files` in UDF only, as on Microsoft's media, that starts with `boot` if there is one: with a
    program for BIOS, or a file system for UEFI."""
    iso = PyCdlib()
    iso.new(interchange_level=3, udf="2.60", vol_ident="CCCOMA_X64FRE")
    made: set[str] = set()
    for name, content in files.items():
        for directory in directories(name):
            if directory not in made:
                iso.add_directory(udf_path=directory)
                made.add(directory)
        iso.add_fp(io.BytesIO(content), len(content), udf_path=f"/{name}")
    if boot:
        iso.add_fp(io.BytesIO(boot), len(boot), iso_path="/BOOT.BIN;1", udf_path="/boot.bin")
        iso.add_eltorito(
            "/BOOT.BIN;1",
            "/BOOT.CAT;1",
            udf_bootcatfile="/boot.cat",
            boot_load_size=len(boot) // SECTOR,
            platform_id=UEFI_PLATFORM if uefi else 0,
        )
    iso.write(str(path))
    iso.close()
    return path


def efi_file_system(program: bytes) -> bytes:
    """A FAT12 as on a floppy disk, with `program` where UEFI looks for one on a medium: EFI/BOOT/BOOTX64.EFI."""
    sectors, fat_sectors, root_entries = 2880, 9, 64
    boot = bytearray(SECTOR)
    geometry = (SECTOR, 1, 1, 1, root_entries, sectors, 0xF8, fat_sectors, 18, 2, 0, 0)
    struct.pack_into("<3s8sHBHBHHBHHHII", boot, 0, b"\xeb\x3c\x90", b"SUPDRV", *geometry)
    struct.pack_into("<BBBI11s8s", boot, 36, 0x80, 0, 0x29, 1, b"STANDIN    ", b"FAT12   ")
    boot[510:] = b"\x55\xaa"
    length = -(-len(program) // SECTOR)
    following = [0xFF8, 0xFFF, 0xFFF, 0xFFF, *range(5, 4 + length), 0xFFF]
    root = _entry("EFI", "", 2, 0, folder=True)
    efi = (
        _entry(".", "", 2, 0, folder=True) + _entry("..", "", 0, 0, folder=True) + _entry("BOOT", "", 3, 0, folder=True)
    )
    folder = _entry(".", "", 3, 0, folder=True) + _entry("..", "", 2, 0, folder=True)
    folder += _entry("BOOTX64", "EFI", 4, len(program))
    table = b"".join(
        (first | second << 12).to_bytes(3, "little")
        for first, second in zip(following[::2], [*following[1::2], 0], strict=False)
    )
    parts = ((bytes(boot), 1), (table, fat_sectors), (root, root_entries * 32 // SECTOR), (efi, 1), (folder, 1))
    image = b"".join(part.ljust(count * SECTOR, b"\0") for part, count in parts) + program
    return image.ljust(sectors * SECTOR, b"\0")


def _entry(name: str, end: str, cluster: int, size: int, *, folder: bool = False) -> bytes:
    kind = 0x10 if folder else 0x20
    return struct.pack("<8s3sB14sHI", name.ljust(8).encode(), end.ljust(3).encode(), kind, b"", cluster, size)


def directories(name: str) -> Sequence[str]:
    steps = name.split("/")[:-1]
    return ["/" + "/".join(steps[: count + 1]) for count in range(len(steps))]
