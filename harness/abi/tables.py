"""Reads `abi.json` and gives one ABI's view of it."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import TypedDict, cast

from harness.abi.layout import Field, Layout
from harness.abi.request import Request, SizeRule
from harness.abi.status import Status


class FieldData(TypedDict, total=False):
    name: str
    path: str
    type: str
    x86: list[int]
    amd64: list[int]


class SizeData(TypedDict):
    size: int
    align: int


class LayoutData(TypedDict):
    x86: SizeData
    amd64: SizeData
    fields: list[FieldData]


class RuleData(TypedDict, total=False):
    layout: str
    exact: bool
    tail: str
    min: dict[str, int]


RequestData = TypedDict(
    "RequestData",
    {
        "name": str,
        "macro": str,
        "function": int,
        "fast": bool,
        "cookies": bool,
        "in": RuleData | None,
        "out": RuleData | None,
        "numbers": dict[str, int | None],
    },
)


class AbiData(TypedDict):
    os: str
    arch: str
    pointer_size: int
    long_size: int
    flag: int
    category: int | None
    argument_block: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """Largest (or named otherwise: smallest) values that the interface accepts."""

    transport_bytes: int
    image_bytes: int
    image_name_bytes: int
    symbols: int
    symbol_name_bytes: int
    cont_bytes_min: int
    cont_bytes_max: int
    low_pages_max: int


class FileData(TypedDict):
    """The shape of `abi.json`. Where a field's place differs, it is [offset, size] for each word size."""

    interface_version: int
    page_size: int
    abis: dict[str, AbiData]
    requests: list[RequestData]
    layouts: dict[str, LayoutData]
    test_requests: list[RequestData]
    test_layouts: dict[str, LayoutData]
    test_constants: dict[str, int]
    constants: dict[str, int]
    strings: dict[str, str]
    limits: dict[str, int]
    original_cookies: dict[str, int]
    status: dict[str, dict[str, int | None]]


DATA = cast(FileData, json.loads(resources.files(__package__).joinpath("abi.json").read_text("utf-8")))

ABI_NAMES: tuple[str, ...] = tuple(DATA["abis"])
INTERFACE_VERSION: int = DATA["interface_version"]
PAGE_SIZE: int = DATA["page_size"]
COOKIE_MAGIC: bytes = DATA["strings"]["SUPCOOKIE_MAGIC"].encode("ascii")
CONSTANTS: Mapping[str, int] = MappingProxyType(DATA["constants"] | DATA["test_constants"])
LIMITS = Limits(**DATA["limits"])
ORIGINAL_COOKIES: Mapping[str, int] = MappingProxyType(DATA["original_cookies"])


@dataclass(frozen=True, slots=True)
class Abi:
    """The interface as one OS and word size sees it.

    `word_size` is 32 or 64; `category` is OS/2's, None elsewhere; `argument_block` says that a slow
    request passes a SUPDRVIOCTLDATA. `test_requests` exist in drivers built for fault tests only.
    """

    name: str
    os: str
    arch: str
    word_size: int
    pointer_size: int
    long_size: int
    flag: int
    category: int | None
    argument_block: bool
    requests: Mapping[str, Request]
    test_requests: Mapping[str, Request]
    layouts: Mapping[str, Layout]

    def request(self, name: str) -> Request:
        """By its short name, for example "COOKIE"."""
        return self.requests[name] if name in self.requests else self.test_requests[name]

    def layout(self, name: str) -> Layout:
        return self.layouts[name]

    def number(self, function: int, *, fast: bool = False) -> int:
        """The number of any function, known or not, in this ABI's form."""
        sample = self.requests["FAST_DO_NOP" if fast else "COOKIE"]
        if sample.number is None:
            raise ValueError(f"{self.name} has no fast requests")
        shift = 2 if self.os == "windows" else 0
        flag = 0 if self.os == "os2" else self.flag
        return sample.number & ~((sample.function | flag) << shift) | (function | flag) << shift

    def os_code(self, status: int) -> int:
        """What the driver answers: errno, NTSTATUS, or on OS/2 the code itself. Unknown codes have one too."""
        if self.os == "os2":
            return int(status)
        return _status_column(status, self.os)

    def win32_code(self, status: int) -> int:
        """GetLastError() after DeviceIoControl() on Windows."""
        return _status_column(status, "win32")

    def client_code(self, status: int) -> int:
        """What a client's call ends with: as `os_code`, but on Windows what GetLastError() tells, and on OS/2 the code
        as the 32 bits that the data packet takes."""
        return self.win32_code(status) if self.os == "windows" else self.os_code(status) & _WORD

    def statuses(self, client_code: int) -> frozenset[Status]:
        """Every status that a client sees as `client_code`; several share one."""
        return frozenset(status for status in Status if self.client_code(status) == client_code)


def _status_column(status: int, column: str) -> int:
    known = {code.value: code.name for code in Status}
    value = DATA["status"][known.get(int(status), "OTHER")][column]
    assert value is not None
    return value


_WORD = 0xFFFFFFFF
_CATEGORY_SHIFT = 8
_LENGTH_SHIFT = 16


def _call_number(number: int | None, abi: AbiData, block_size: int) -> int | None:
    """What the agent is asked with. Where the header has a function alone, since the category and the length of the
    parameter packet travel beside it, they are put where Unix has type and size."""
    if number is None or abi["category"] is None:
        return number
    return block_size << _LENGTH_SHIFT | abi["category"] << _CATEGORY_SHIFT | number


_INTEGERS = {"u8": 1, "bool": 1, "u32": 4, "i32": 4, "u64": 8}
_ARRAY = re.compile(r"(\w+)\[(\d+)\]")


def _field(data: FieldData, abi: AbiData, layouts: Mapping[str, Layout]) -> Field:
    offset, size = data["x86"] if abi["arch"] == "x86" else data["amd64"]
    name, kind, path = data["name"], data["type"], data.get("path", data["name"])
    sizes = _INTEGERS | {"ptr": abi["pointer_size"], "ulong": abi["long_size"], "char": 1}
    array = _ARRAY.fullmatch(kind)
    if array is None:
        stride, count = sizes[kind], 1
        field = Field(name, path, "int", offset, size, stride, signed=kind == "i32")
    else:
        of, count = array[1], int(array[2])
        stride = layouts[of].size if of in layouts else sizes[of]
        shape = "struct" if of in layouts else of
        field = Field(name, path, shape, offset, size, stride, element=layouts.get(of))
    if stride * count != size:
        raise ValueError(f"abi.json: {name}: {kind} is not {size} bytes")
    return field


def _layouts(abi: AbiData) -> dict[str, Layout]:
    layouts: dict[str, Layout] = {}
    every = DATA["layouts"] | DATA["test_layouts"]
    # Structures that others have arrays of come first.
    elements = {match[1] for item in every.values() for f in item["fields"] if (match := _ARRAY.match(f["type"]))}
    for name in sorted(every, key=lambda name: name not in elements):
        if name == "SUPDRVIOCTLDATA" and not abi["argument_block"]:
            continue
        data = every[name]
        size = data["x86"] if abi["arch"] == "x86" else data["amd64"]
        fields = tuple(_field(field, abi, layouts) for field in data["fields"])
        tail = fields[-1].name if data["fields"][-1]["type"].endswith("[1]") else None
        layouts[name] = Layout(name, size["size"], size["align"], fields, tail)
    return layouts


def _rule(data: RuleData | None, arch: str, layouts: Mapping[str, Layout]) -> SizeRule:
    if data is None:
        return SizeRule(None, 0, exact=True)
    return SizeRule(layouts[data["layout"]], data["min"][arch], data["exact"])


def _requests(items: list[RequestData], name: str, layouts: Mapping[str, Layout]) -> Mapping[str, Request]:
    abi = DATA["abis"][name]
    arch = abi["arch"]
    block = layouts["SUPDRVIOCTLDATA"].size if abi["argument_block"] else 0
    return MappingProxyType(
        {
            item["name"]: Request(
                name=item["name"],
                macro=item["macro"],
                function=item["function"],
                fast=item["fast"],
                cookies=item["cookies"],
                number=_call_number(item["numbers"][name], abi, block),
                in_rule=_rule(item["in"], arch, layouts),
                out_rule=_rule(item["out"], arch, layouts),
            )
            for item in items
        }
    )


@functools.cache
def load_abi(name: str) -> Abi:
    """The ABI of that name, one of ABI_NAMES."""
    if name not in DATA["abis"]:
        raise KeyError(f"no ABI {name!r} (there are: {', '.join(ABI_NAMES)})")
    data = DATA["abis"][name]
    layouts = _layouts(data)
    return Abi(
        name=name,
        os=data["os"],
        arch=data["arch"],
        word_size=data["pointer_size"] * 8,
        pointer_size=data["pointer_size"],
        long_size=data["long_size"],
        flag=data["flag"],
        category=data["category"],
        argument_block=data["argument_block"],
        requests=_requests(DATA["requests"], name, layouts),
        test_requests=_requests(DATA["test_requests"], name, layouts),
        layouts=MappingProxyType(layouts),
    )
