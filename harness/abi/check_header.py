"""Makes `core/include/supdrv_abi_check.h`, the static assertions of every driver build, from `abi.json`.

`python -m harness.abi.check_header` prints it.
"""

from __future__ import annotations

import sys

from harness.abi.tables import ABI_NAMES, DATA, FileData

_HEAD = """\
/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Made from harness/abi/abi.json by `python -m harness.abi.check_header`; do not edit. */
#ifndef SUPDRV_ABI_CHECK_H
#define SUPDRV_ABI_CHECK_H

#include "supdrv_ioc.h"

/* clang-format off */
"""

_ABI_CONDITIONS = {
    "linux-x86": "defined(SUPDRV_OS_LINUX) && SUP_IOCTL_FLAG == 0",
    "linux-amd64": "defined(SUPDRV_OS_LINUX)",
    "windows-x86": "defined(SUPDRV_OS_WINDOWS) && SUP_IOCTL_FLAG == 0",
    "windows-amd64": "defined(SUPDRV_OS_WINDOWS)",
    "os2-x86": "defined(SUPDRV_OS_OS2)",
    "bsd-x86": "SUP_IOCTL_FLAG == 0",
    "bsd-amd64": "1",
}

_CHECKS = """\
#if SUP_IOCTL_FLAG == 0
#define SUPDRV_WORD(x86, amd64) (x86)
#else
#define SUPDRV_WORD(x86, amd64) (amd64)
#endif

#define SUPDRV_CHECK(what) _Static_assert(what, #what)
#define SUPDRV_SIZE(type, x86, amd64) SUPDRV_CHECK(sizeof(type) == SUPDRV_WORD(x86, amd64))
#define SUPDRV_ALIGN(type, x86, amd64) SUPDRV_CHECK(_Alignof(type) == SUPDRV_WORD(x86, amd64))
#define SUPDRV_FIELD(type, field, x86, x86_size, amd64, amd64_size)                                \\
	SUPDRV_CHECK(offsetof(type, field) == SUPDRV_WORD(x86, amd64));                            \\
	SUPDRV_CHECK(sizeof(((type *)0)->field) == SUPDRV_WORD(x86_size, amd64_size))
"""


def _columns(items: list[str]) -> str:
    return ", ".join(items)


def _numbers(data: FileData) -> list[str]:
    letters = [name.replace("-", "_") for name in ABI_NAMES]
    lines = []
    for index, name in enumerate(ABI_NAMES):
        lines.append(f"#{'if' if index == 0 else 'elif'} {_ABI_CONDITIONS[name]}")
        lines.append(f"#define SUPDRV_COLUMN({_columns(letters)}) {letters[index]}")
        lines.append(f"SUPDRV_CHECK(SUP_IOCTL_FLAG == {data['abis'][name]['flag']});")
        lines.append(f"SUPDRV_CHECK(sizeof(void *) == {data['abis'][name]['pointer_size']});")
        lines.append(f"SUPDRV_CHECK(sizeof(long) == {data['abis'][name]['long_size']});")
        if data["abis"][name]["category"] is not None:
            lines.append(f"SUPDRV_CHECK(SUP_CTL_CATEGORY == {data['abis'][name]['category']:#x});")
    lines += ["#endif", "", f"/* {_columns(list(ABI_NAMES))} */"]
    lines.append("#define SUPDRV_NUMBER(macro, ...) SUPDRV_CHECK(macro == SUPDRV_COLUMN(__VA_ARGS__))")
    fast = False
    for item in data["requests"]:
        if item["fast"] and not fast:
            lines.append("#ifdef SUP_CTL_CODE_FAST")
            fast = True
        numbers = [item["numbers"][name] for name in ABI_NAMES]
        columns = ["0" if number is None else f"0x{number:X}" for number in numbers]
        lines.append(f"SUPDRV_NUMBER({item['macro']}, {_columns(columns)});")
    lines.append("#endif")
    return lines


def _layouts(data: FileData) -> list[str]:
    lines = []
    for name, layout in data["layouts"].items():
        lines.append("")
        block = name == "SUPDRVIOCTLDATA"
        if block:
            lines.append("#ifndef SUPDRV_OS_WINDOWS")
        x86, amd64 = layout["x86"], layout["amd64"]
        lines.append(f"SUPDRV_SIZE({name}, {x86['size']}, {amd64['size']});")
        lines.append(f"SUPDRV_ALIGN({name}, {x86['align']}, {amd64['align']});")
        for field in layout["fields"]:
            places = _columns([str(number) for number in field["x86"] + field["amd64"]])
            lines.append(f"SUPDRV_FIELD({name}, {field.get('path', field['name'])}, {places});")
        if block:
            lines.append("#endif")
    return lines


def check_header(data: FileData) -> str:
    """The header's text. It asserts every number, size, offset and constant of `data`."""
    lines = [*_numbers(data), *_layouts(data), ""]
    lines += [f"SUPDRV_CHECK({name} == {value});" for name, value in data["constants"].items()]
    for name, text in data["strings"].items():
        lines.append(f"SUPDRV_CHECK(sizeof({name}) == {len(text) + 1});")
    return _HEAD + _CHECKS + "\n".join(lines) + "\n/* clang-format on */\n\n#endif\n"


if __name__ == "__main__":
    sys.stdout.write(check_header(DATA))
