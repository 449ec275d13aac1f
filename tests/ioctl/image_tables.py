"""Images with a symbol table and strings, and refusals of their loads."""

from __future__ import annotations

from images import Image

from harness.abi import PAGE_SIZE, Status

SIZE = PAGE_SIZE
END = 1 << 32
SYMBOLS_AT = 64
STRINGS_AT = 2048
STRINGS = b"first\0second\0"
SYMBOL_BYTES = 8
SYMBOLS_MAX = 16384

TABLES = {"offSymbols": SYMBOLS_AT, "cSymbols": 2, "offStrTab": STRINGS_AT, "cbStrTab": len(STRINGS)}


def symbol(name: int, offset: int) -> bytes:
    """An entry of the symbol table."""
    return name.to_bytes(4, "little") + offset.to_bytes(4, "little")


def content(*symbols: bytes, strings: bytes = STRINGS, size: int = SIZE) -> bytes:
    """An image whose tables are at SYMBOLS_AT and STRINGS_AT."""
    data = bytearray(size)
    table = b"".join(symbols or (symbol(0, 10), symbol(6, 20)))
    data[SYMBOLS_AT : SYMBOLS_AT + len(table)] = table
    data[STRINGS_AT : STRINGS_AT + len(strings)] = strings
    return bytes(data)


def refused(image: Image, status: Status, data: bytes = b"", **fields: int) -> None:
    """The load is refused, and a correct one succeeds after it."""
    assert image.load(data, **fields) == status
    assert image.again(image.session).needs_loading
    image.load_well(content(), **TABLES)
    assert image.address("second") == image.base + 20
