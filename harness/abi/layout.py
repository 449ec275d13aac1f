"""Structures of the interface: bytes from values and values from bytes, for one word size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Record: TypeAlias = "dict[str, Value]"
Value: TypeAlias = int | bytes | list[int] | list[Record]
Input: TypeAlias = int | bytes | str | Sequence[int] | Sequence[Mapping[str, "Input"]]


class LayoutError(ValueError):
    """A value does not fit its field, or bytes do not fit a structure."""


def c_string(data: bytes) -> str:
    """The text before the first NUL of a char array, or all of it."""
    return data.split(b"\0", 1)[0].decode("latin-1")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a structure.

    `kind` is "int" (bool and pointers included), "char", "u32" for an array of those, or "struct".
    `offset`, `size` and `stride` (the size of one element) are bytes; `path` is the name in C.
    """

    name: str
    path: str
    kind: str
    offset: int
    size: int
    stride: int
    signed: bool = False
    element: Layout | None = None

    def encode(self, value: Input) -> bytes:
        """The field's bytes: as long as `value` needs for an array, else `size`."""
        if self.kind == "int":
            if not isinstance(value, int):
                raise LayoutError(f"{self.name}: give an integer, not {type(value).__name__}")
            return self._encode_int(value)
        if self.kind == "char":
            if isinstance(value, str):
                value = value.encode("latin-1")
            if not isinstance(value, bytes):
                raise LayoutError(f"{self.name}: give bytes or str, not {type(value).__name__}")
            return value
        if isinstance(value, int | bytes | str):
            raise LayoutError(f"{self.name}: give a sequence, not {type(value).__name__}")
        return b"".join(self._encode_element(item) for item in value)

    def _encode_element(self, item: int | Mapping[str, Input]) -> bytes:
        if isinstance(item, int):
            return self._encode_int(item)
        if self.element is None:
            raise LayoutError(f"{self.name}: give integers")
        return self.element.pack(**item)

    def _encode_int(self, value: int) -> bytes:
        try:
            return value.to_bytes(self.stride, "little", signed=self.signed)
        except OverflowError as error:
            raise LayoutError(f"{self.name}: {value:#x} does not fit {self.stride} bytes") from error

    def decode(self, data: bytes) -> Value:
        """The value in `data`; of an array, as many whole elements as `data` has."""
        if self.kind == "int":
            return int.from_bytes(data, "little", signed=self.signed)
        if self.kind == "char":
            return data
        starts = range(0, len(data) - self.stride + 1, self.stride)
        parts = [data[start : start + self.stride] for start in starts]
        if self.element is not None:
            return [self.element.unpack(part) for part in parts]
        return [int.from_bytes(part, "little") for part in parts]


@dataclass(frozen=True, slots=True)
class Layout:
    """A structure in one ABI: `size` and `align` in bytes, fields by offset.

    `tail` names the last field where it is an array of one element that stands for any number.
    """

    name: str
    size: int
    align: int
    fields: tuple[Field, ...]
    tail: str | None = None

    def field(self, name: str) -> Field:
        for field in self.fields:
            if field.name == name:
                return field
        known = ", ".join(field.name for field in self.fields)
        raise LayoutError(f"{self.name} has no field {name!r} (it has: {known})")

    def pack(self, /, **values: Input) -> bytes:
        """`size` bytes, longer if the tail needs it. Fields that are not named are zero."""
        data = bytearray(self.size)
        for name, value in values.items():
            field = self.field(name)
            encoded = field.encode(value)
            if len(encoded) > field.size and name != self.tail:
                raise LayoutError(f"{self.name}.{name}: {len(encoded)} bytes, room for {field.size}")
            end = field.offset + len(encoded)
            if end > len(data):
                data.extend(bytes(end - len(data)))
            data[field.offset : end] = encoded
        return bytes(data)

    def unpack(self, data: bytes) -> Record:
        """Every field's value. `data` is exactly the structure, or ends within or after its tail."""
        if self.tail is None and len(data) != self.size:
            raise LayoutError(f"{self.name}: {len(data)} bytes, not {self.size}")
        if self.tail is not None and len(data) < self.field(self.tail).offset:
            raise LayoutError(f"{self.name}: only {len(data)} bytes")
        record: Record = {}
        for field in self.fields:
            end = None if field.name == self.tail else field.offset + field.size
            record[field.name] = field.decode(data[field.offset : end])
        return record

    def size_of(self, count: int) -> int:
        """Bytes up to the end of `count` elements of the tail."""
        if self.tail is None:
            raise LayoutError(f"{self.name} has no variable part")
        field = self.field(self.tail)
        return field.offset + count * field.stride

    def padding(self, data: bytes) -> bytes:
        """The bytes of `data` that belong to no field: the driver has to leave them zero."""
        used = bytearray(len(data))
        for field in self.fields:
            end = len(data) if field.name == self.tail else field.offset + field.size
            used[field.offset : end] = b"\1" * (end - field.offset)
        return bytes(byte for byte, taken in zip(data, used, strict=False) if not taken)
