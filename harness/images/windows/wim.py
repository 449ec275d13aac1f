"""What a Windows image file (install.wim, install.esd) says of the images in it. Pure but for the reads of its caller.

Layout, as published by Microsoft ("Windows Imaging File Format", 2007): a header of 208 bytes that starts with
`MSWIM\\0\\0\\0`; at offset 72 where the XML description lies: 7 bytes of size, a byte of flags, 8 bytes of offset,
8 bytes of size before compression. The description is UTF-16 and never compressed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lxml import etree

from harness.errors import SetupError

_MAGIC = b"MSWIM\0\0\0"
_HEADER_BYTES = 208
_XML_RESOURCE = 72
_MOST_XML = 16 << 20

_ARCHES = {"0": "x86", "9": "amd64", "5": "arm", "12": "arm64", "6": "ia64"}
"""Windows' numbers of processor architectures (PROCESSOR_ARCHITECTURE_*)."""


@dataclass(frozen=True, slots=True)
class WimImage:
    """One installable image: its index (from 1) and name, the architecture's name, the build number (0 if unknown),
    and whether it is a server."""

    index: int
    name: str
    arch: str
    build: int
    server: bool


def read_images(read: Callable[[int, int], bytes], *, name: str) -> tuple[WimImage, ...]:
    """The images in a file called `name`, of which `read(offset, size)` gives bytes. Raises SetupError."""
    header = read(0, _HEADER_BYTES)
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise SetupError(f"{name} is not a Windows image file", hint="the medium may be damaged; download it again")
    packed, offset, size = struct.unpack_from("<QQQ", header, _XML_RESOURCE)
    stored = packed & ((1 << 56) - 1)
    if stored != size or not 0 < size <= _MOST_XML:
        raise SetupError(f"{name}: its description has an impossible size ({stored} of {size} bytes)")
    text = read(offset, size)
    try:
        root = etree.fromstring(_as_utf8(text), etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, UnicodeDecodeError) as error:
        raise SetupError(f"{name}: its description cannot be read: {error}") from error
    return tuple(_images(root, name))


def _as_utf8(text: bytes) -> bytes:
    return (
        text.decode("utf-16").encode() if text[:2] in (b"\xff\xfe", b"\xfe\xff") else text.decode("utf-16-le").encode()
    )


def _images(root: etree._Element, name: str) -> Iterator[WimImage]:
    for element in root.iterfind("IMAGE"):
        try:
            index = int(element.get("INDEX", ""))
            build = int(element.findtext("WINDOWS/VERSION/BUILD", "0"))
        except ValueError as error:
            raise SetupError(f"{name}: its description cannot be read: {error}") from error
        arch = element.findtext("WINDOWS/ARCH", "")
        yield WimImage(
            index=index,
            name=element.findtext("NAME", ""),
            arch=_ARCHES.get(arch, f"unknown ({arch})"),
            build=build,
            server=element.findtext("WINDOWS/INSTALLATIONTYPE", "").startswith("Server"),
        )
