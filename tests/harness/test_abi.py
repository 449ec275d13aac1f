"""abi.json, the C header and real compilers agree on every ABI; layouts turn values to bytes and back."""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.abi import (
    ABI_NAMES,
    CONSTANTS,
    COOKIE_MAGIC,
    Layout,
    LayoutError,
    Status,
    c_string,
    load_abi,
)
from harness.abi.check_header import check_header
from harness.abi.tables import DATA, FileData

ROOT = Path(__file__).parent.parent.parent
INCLUDE = ROOT / "core/include"
TIMEOUT_SECONDS = 120

ZIG = (sys.executable, "-m", "ziglang", "cc", "-target")
COMPILERS: list[tuple[str, str, tuple[str, ...]]] = [
    ("linux-x86", "zig", (*ZIG, "x86-linux-gnu")),
    ("linux-amd64", "zig", (*ZIG, "x86_64-linux-gnu")),
    ("windows-x86", "zig", (*ZIG, "x86-windows-gnu")),
    ("windows-amd64", "zig", (*ZIG, "x86_64-windows-gnu")),
    ("os2-x86", "zig", (*ZIG, "x86-freestanding", "-DSUPDRV_OS_OS2")),
    ("bsd-x86", "zig", (*ZIG, "x86-freebsd")),
    ("bsd-amd64", "zig", (*ZIG, "x86_64-freebsd")),
    ("linux-x86", "gcc", ("gcc", "-m32")),
    ("linux-amd64", "gcc", ("gcc", "-m64")),
    ("linux-x86", "clang", ("clang", "-m32")),
    ("linux-amd64", "clang", ("clang", "-m64")),
]
FLAGS = ("-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-ffreestanding", "-c")


def compile_source(source: str, directory: Path, command: tuple[str, ...]) -> str:
    """The compiler's complaints about `source`; empty if it accepts it."""
    path = directory / "check.c"
    path.write_text(source)
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {command[0]} on this host")
    done = subprocess.run(
        [*command, *FLAGS, f"-I{INCLUDE}", str(path), "-o", str(directory / "check.o")],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    return done.stderr if done.returncode else ""


def flat_assertions(abi_name: str, data: FileData) -> list[str]:
    """Every number that `data` has for one ABI, each as an assertion of C that stands for itself.

    Deliberately not made by the code that makes the header of the driver builds.
    """
    abi = data["abis"][abi_name]
    arch = abi["arch"]
    lines = [
        f"SUPDRVIOC_VERSION == {data['interface_version']}",
        f"SUP_IOCTL_FLAG == {abi['flag']}",
        f"sizeof(void *) == {abi['pointer_size']}",
        f"sizeof(long) == {abi['long_size']}",
    ]
    if abi["category"] is not None:
        lines.append(f"SUP_CTL_CATEGORY == {abi['category']}")
    for request in data["requests"] + data["test_requests"]:
        number = request["numbers"][abi_name]
        if number is not None:
            lines.append(f"{request['macro']} == {number}u")
    for name, layout in (data["layouts"] | data["test_layouts"]).items():
        if name == "SUPDRVIOCTLDATA" and not abi["argument_block"]:
            continue
        whole = layout["x86"] if arch == "x86" else layout["amd64"]
        lines.append(f"sizeof({name}) == {whole['size']}")
        lines.append(f"_Alignof({name}) == {whole['align']}")
        for field in layout["fields"]:
            path = field.get("path", field["name"])
            offset, size = field["x86"] if arch == "x86" else field["amd64"]
            lines.append(f"offsetof({name}, {path}) == {offset}")
            lines.append(f"sizeof((({name} *)0)->{path}) == {size}")
    for name, value in (data["constants"] | data["test_constants"]).items():
        lines.append(f"{name} == {value}")
    return lines


def flat_source(assertions: list[str]) -> str:
    head = '#include "supdrv_ioc.h"\n#include "supdrv_fault.h"\n'
    return head + "".join(f"_Static_assert({text}, {text!r});\n".replace("'", '"') for text in assertions)


COMPILER_CASES = [pytest.param(abi, command, id=f"{abi}-{tool}") for abi, tool, command in COMPILERS]


@pytest.mark.parametrize(("abi_name", "command"), COMPILER_CASES)
def test_compiled_header_has_every_number_of_the_data(abi_name: str, command: tuple[str, ...], tmp_path: Path) -> None:
    assert compile_source(flat_source(flat_assertions(abi_name, DATA)), tmp_path, command) == ""


@pytest.mark.parametrize(("abi_name", "command"), COMPILER_CASES)
def test_check_of_the_driver_builds_holds(abi_name: str, command: tuple[str, ...], tmp_path: Path) -> None:
    source = (
        f'#include "supdrv_abi_check.h"\n_Static_assert(sizeof(void *) == {load_abi(abi_name).pointer_size}, "word");\n'
    )
    assert compile_source(source, tmp_path, command) == ""


def test_check_of_the_driver_builds_is_made_from_the_data() -> None:
    hint = "run: python -m harness.abi.check_header > core/include/supdrv_abi_check.h"
    assert (INCLUDE / "supdrv_abi_check.h").read_text() == check_header(DATA), hint


@pytest.mark.parametrize("abi_name", ABI_NAMES)
def test_each_assertion_can_fail(abi_name: str, tmp_path: Path) -> None:
    """With every expected value off by one, every single assertion is refused."""
    command = next(command for abi, _, command in COMPILERS if abi == abi_name)
    good = flat_assertions(abi_name, DATA)
    assertions = [re.sub(r"== (\d+)", lambda match: f"== {int(match[1]) + 1}", text) for text in good]
    unlimited = "-fmax-errors=0" if command[0] == "gcc" else "-ferror-limit=0"
    complaints = compile_source(flat_source(assertions), tmp_path, (*command, unlimited))
    refused = set(map(int, re.findall(r"check\.c:(\d+):\d+: error: static", complaints)))
    assert refused == set(range(3, 3 + len(assertions)))


def wrong_number(data: FileData) -> None:
    data["requests"][0]["numbers"]["linux-amd64"] = 0xC0205682


def wrong_size(data: FileData) -> None:
    data["layouts"]["SUPLDRSYM"]["amd64"]["size"] = 12


def wrong_align(data: FileData) -> None:
    data["layouts"]["SUPPAGE"]["amd64"]["align"] = 8


def wrong_offset(data: FileData) -> None:
    data["layouts"]["SUPLDRLOAD_IN"]["fields"][-1]["amd64"][0] += 4


def wrong_constant(data: FileData) -> None:
    data["constants"]["SUPPAGINGMODE_AMD64_NX"] = 8


@pytest.mark.parametrize("spoil", [wrong_number, wrong_size, wrong_align, wrong_offset, wrong_constant])
def test_one_wrong_value_in_the_data_fails_the_driver_build(spoil, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    data = copy.deepcopy(DATA)
    spoil(data)
    command = (*ZIG, "x86_64-linux-gnu")
    assert "static assertion failed" in compile_source(check_header(data), tmp_path, command)
    assert compile_source(check_header(DATA), tmp_path, command) == ""


def header_text() -> str:
    files = ("supdrv_ioc.h", "supdrv_ioc_layout.h", "supdrv_fault.h")
    return "".join((INCLUDE / name).read_text() for name in files)


def test_data_has_every_request_structure_field_and_constant_of_the_header() -> None:
    text = header_text()
    macros = set(re.findall(r"#define (SUP_IOCTL_\w+)\s+SUP_CTL", text))
    assert macros == {item["macro"] for item in DATA["requests"] + DATA["test_requests"]}

    layouts = DATA["layouts"] | DATA["test_layouts"]
    bodies = dict(re.findall(r"typedef struct (\w+) \{\n(.*?)\n\} \1,", text, re.DOTALL))
    assert set(bodies) == set(layouts)
    for name, body in bodies.items():
        fields = re.findall(r"[\s*](\w+)(?:\[\d+\])?;", body)
        declared = [field for field in fields if field not in {"VMMR0", "EP"}]
        assert declared == [field["name"] for field in layouts[name]["fields"]]

    values = {
        name
        for body in re.findall(r"^enum \{(.*?)\}", text, re.DOTALL | re.MULTILINE)
        for name in re.findall(r"\w+", body)
    }
    values |= {"SUPDRVIOC_VERSION", "SUPGLOBALINFOPAGE_MAGIC"}
    assert values == set(CONSTANTS)


def test_header_has_the_magic_word() -> None:
    match = re.search(r'#define SUPCOOKIE_MAGIC\s+"(.*)"', header_text())
    assert match is not None
    assert match[1].encode() == COOKIE_MAGIC


def test_status_codes_are_those_of_the_driver() -> None:
    text = (INCLUDE / "supdrv_status.h").read_text()
    codes = {name: int(code) for name, code in re.findall(r"SUPDRV_(?:ERR_)?(OK|\w+) = (-?\d+)", text)}
    assert {status.name: status.value for status in Status}.items() <= codes.items()


@pytest.mark.parametrize("abi_name", ABI_NAMES)
def test_every_number_follows_from_its_function(abi_name: str) -> None:
    abi = load_abi(abi_name)
    for request in [*abi.requests.values(), *abi.test_requests.values()]:
        if request.number is None:
            assert (abi.os, request.fast) == ("os2", True)
        else:
            assert abi.number(request.function, fast=request.fast) == request.number


@pytest.mark.parametrize("abi_name", ABI_NAMES)
def test_size_rules_agree_with_layouts(abi_name: str) -> None:
    for request in load_abi(abi_name).requests.values():
        for rule in (request.in_rule, request.out_rule):
            if rule.layout is None:
                assert rule.accepts(0)
                assert not rule.accepts(1)
            elif rule.exact:
                assert rule.minimum == rule.layout.size
                assert not rule.accepts(rule.minimum + 1)
            assert rule.accepts(rule.minimum)
            assert not rule.accepts(rule.minimum - 1)
        names = [field.name for field in request.in_rule.layout.fields] if request.in_rule.layout else []
        assert request.cookies == (names[:2] == ["u32Cookie", "u32SessionCookie"])


def layout_of(name: str, abi_name: str = "linux-amd64") -> Layout:
    return load_abi(abi_name).layout(name)


def test_pack_places_fields_and_leaves_the_rest_zero() -> None:
    data = layout_of("SUPPINPAGES_IN").pack(u32Cookie=1, pv=0x1122334455667788, cb=4096)
    assert data.hex(" ", 4) == "01000000 00000000 88776655 44332211 00100000 00000000"
    assert layout_of("SUPPINPAGES_IN", "linux-x86").pack(cb=4096)[12:] == b"\0\x10\0\0"


def test_unpack_returns_what_pack_was_given() -> None:
    for abi_name in ABI_NAMES:
        for layout in load_abi(abi_name).layouts.values():
            values = {field.name: index + 1 for index, field in enumerate(layout.fields) if field.kind == "int"}
            record = layout.unpack(layout.pack(**values))
            assert values.items() <= record.items()


def test_tail_grows_the_structure_by_whole_elements() -> None:
    layout = layout_of("SUPQUERYFUNCS_OUT")
    data = layout.pack(cFunctions=2, aFunctions=[{"szName": "a", "pfn": 1}, {"szName": "b", "pfn": 2}])
    assert len(data) == layout.size_of(2) == 8 + 2 * 40
    functions = layout.unpack(data + b"\0" * 7)["aFunctions"]
    assert isinstance(functions, list)
    assert [(c_string(item["szName"]), item["pfn"]) for item in functions] == [("a", 1), ("b", 2)]  # type: ignore[index,arg-type]


def test_char_tail_carries_any_number_of_bytes() -> None:
    layout = layout_of("SUPLDRGETSYMBOL_IN", "windows-x86")
    assert layout.pack(szSymbol=b"name\0").endswith(b"name\0")
    assert layout.unpack(layout.pack(szSymbol="name\0"))["szSymbol"] == b"name\0"


def test_signed_results_and_arrays_of_integers() -> None:
    assert layout_of("SUPCALLVMMR0_OUT").unpack(b"\xdb\xff\xff\xff") == {"rc": -37}
    page = layout_of("SUPGLOBALINFOPAGE").pack(au32TSCHistory=[1, 2, 3])
    assert layout_of("SUPGLOBALINFOPAGE").unpack(page)["au32TSCHistory"] == [1, 2, 3, 0, 0, 0, 0, 0]


def test_padding_is_what_belongs_to_no_field() -> None:
    layout = layout_of("SUPLDROPEN_OUT")
    assert layout.padding(bytes(range(16))) == bytes(range(9, 16))
    assert layout_of("SUPQUERYFUNCS_OUT").padding(bytes(range(48))) == bytes(range(4, 8))


@pytest.mark.parametrize(
    ("layout", "values"),
    [
        ("SUPCOOKIE_IN", {"szMagic": b"x" * 17}),
        ("SUPCOOKIE_IN", {"u32Version": 1 << 32}),
        ("SUPCOOKIE_IN", {"u32Version": -1}),
        ("SUPCOOKIE_IN", {"u32Version": b"\0"}),
        ("SUPCOOKIE_IN", {"u32Wrong": 0}),
        ("SUPCOOKIE_IN", {"szMagic": 5}),
        ("SUPGLOBALINFOPAGE", {"au32TSCHistory": [0] * 9}),
        ("SUPLOWALLOC_OUT", {"aPages": 7}),
        ("SUPGLOBALINFOPAGE", {"au32TSCHistory": [{"a": 1}]}),
    ],
)
def test_values_that_do_not_fit_are_refused(layout: str, values: dict[str, object]) -> None:
    with pytest.raises(LayoutError):
        layout_of(layout).pack(**values)  # type: ignore[arg-type]


def test_bytes_of_another_length_are_refused() -> None:
    with pytest.raises(LayoutError):
        layout_of("SUPCOOKIE_OUT").unpack(b"\0" * 20)
    with pytest.raises(LayoutError):
        layout_of("SUPLOWALLOC_OUT").unpack(b"\0" * 7)


def test_unknown_abi_is_named_with_those_that_exist() -> None:
    with pytest.raises(KeyError, match="linux-amd64"):
        load_abi("beos-ppc")


@pytest.mark.parametrize(
    ("abi_name", "status", "code"),
    [
        ("linux-amd64", Status.INVALID_MAGIC, 84),
        ("bsd-x86", Status.INVALID_MAGIC, 86),
        ("linux-x86", Status.NO_MEMORY, 12),
        ("windows-amd64", Status.NO_MEMORY, 0xC0000017),
        ("windows-x86", Status.GENERAL_FAILURE, 0xC00000BB),
        ("os2-x86", Status.INVALID_PARAM, -2),
        ("linux-amd64", -4711, 1),
        ("windows-amd64", 5, 0xC0000001),
        ("bsd-amd64", Status.OK, 0),
    ],
)
def test_status_in_the_form_the_driver_answers(abi_name: str, status: int, code: int) -> None:
    assert load_abi(abi_name).os_code(status) == code


def test_win32_error_and_the_way_back() -> None:
    abi = load_abi("windows-amd64")
    assert abi.win32_code(Status.NO_MEMORY) == 8
    assert abi.statuses(8) == {Status.NO_MEMORY}
    assert load_abi("linux-amd64").statuses(1) == {Status.IDT_FAILED, Status.PERMISSION_DENIED}
