"""The answer file of an unattended installation. Pure but for the template and the schema beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from lxml import etree
from lxml.etree import Element, QName, SubElement

from harness.errors import ConfigError
from harness.images.windows.releases import UEFI, Release

ANSWER_FILE = "autounattend.xml"
"""The name that Windows Setup looks for at the root of every disc."""

FIRST_LOGON = "supdrv.cmd"
"""The script on the seed that makes a fresh Windows a guest of the harness."""

USER = "supdrv"

_HERE = Path(__file__).parent
_UNATTEND = "urn:schemas-microsoft-com:unattend"
_ACTION = "{http://schemas.microsoft.com/WMIConfig/2002/State}action"
_LETTERS = "D E F G H I J"


@dataclass(frozen=True, slots=True)
class Answers:
    """What is asked of an installation. `image` is the index in the medium's image file; `password` is for the user
    and for the built-in administrator; `locale` is for language and keyboard; `say` begins a line on the console."""

    release: Release
    arch: str
    firmware: str
    image: int
    password: str = field(repr=False)
    computer: str
    locale: str
    say: str
    product_key: str = field(default="", repr=False)


def answer_file(answers: Answers) -> bytes:
    """The answer file, checked against our schema. Raises ConfigError that names the value that does not fit."""
    root = etree.fromstring((_HERE / ANSWER_FILE).read_bytes(), etree.XMLParser(remove_blank_text=True))
    for component in root.iter(_name("component")):
        component.set("processorArchitecture", answers.arch)
    _set(root, "UILanguage", answers.locale)
    for name in ("InputLocale", "SystemLocale", "UserLocale"):
        _set(root, name, answers.locale)
    _set(root, "ComputerName", answers.computer)
    _set(root, "Username", USER)
    _set(root, "LocalAccount/Name", USER)
    for place in ("AdministratorPassword", "LocalAccount/Password", "AutoLogon/Password"):
        _set(root, f"{place}/Value", answers.password)
    _set(root, "MetaData/Value", str(answers.image))
    if answers.product_key:
        _child(_one(root, "UserData/ProductKey"), "Key", answers.product_key)
    _lay_out_disk(root, answers.firmware)
    setup, deployment = root.iter(_name("RunSynchronous"))
    _commands(setup, "RunSynchronousCommand", "Path", _before_setup(answers))
    _commands(deployment, "RunSynchronousCommand", "Path", _before_users(answers))
    _commands(_one(root, "FirstLogonCommands"), "SynchronousCommand", "CommandLine", _at_first_logon())
    check(root)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True))


def check(root: etree._Element) -> None:
    """Raises ConfigError if an answer file does not fit our schema."""
    schema = _schema()
    if not schema.validate(root):
        problems = "; ".join(dict.fromkeys(f"{entry.message}" for entry in schema.error_log))
        raise ConfigError(f"the answer file does not fit its schema: {problems}")


@cache
def _schema() -> etree.RelaxNG:
    return etree.RelaxNG(etree.parse(str(_HERE / "unattend.rng")))


def _before_setup(answers: Answers) -> Iterable[tuple[str, str]]:
    """Commands of the installer's own Windows, before the hardware is judged."""
    if answers.release.checks_hardware:
        for what in ("TPM", "SecureBoot", "RAM", "CPU", "Storage"):
            key = r"HKLM\SYSTEM\Setup\LabConfig"
            yield f"reg add {key} /v Bypass{what}Check /t REG_DWORD /d 1 /f", f"no check: {what}"
    yield _saying(answers, "setup has begun")


def _before_users(answers: Answers) -> Iterable[tuple[str, str]]:
    """Commands of the installed Windows, before anybody logs on."""
    values = (
        (r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System", "EnableLUA", 0, "full rights at logon"),
        (r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\OOBE", "BypassNRO", 1, "no network wanted at first"),
        (r"HKLM\SYSTEM\CurrentControlSet\Control\BitLocker", "PreventDeviceEncryption", 1, "a disk in clear"),
    )
    for key, name, value, why in values:
        yield f"reg add {key} /v {name} /t REG_DWORD /d {value} /f", why
    yield _saying(answers, "files are copied")


def _at_first_logon() -> Iterable[tuple[str, str]]:
    script = rf"%d:\{FIRST_LOGON}"
    yield f'cmd /c "for %d in ({_LETTERS}) do if exist {script} call {script}"', "make this Windows a guest"


def _saying(answers: Answers, what: str) -> tuple[str, str]:
    """A line of its own on the console, whatever the firmware has left there. A Windows that has no COM1 goes on."""
    return f'cmd /c "(>COM1 (echo.& echo {answers.say}{what})) & exit 0"', f"tell: {what}"


def _lay_out_disk(root: etree._Element, firmware: str) -> None:
    """One partition that BIOS starts from; for UEFI its own partition and Microsoft's reserved one before it."""
    create, modify = _one(root, "CreatePartitions"), _one(root, "ModifyPartitions")
    windows = {"Format": "NTFS", "Label": "Windows", "Letter": "C"}
    if firmware == UEFI:
        created = [{"Type": "EFI", "Size": "300"}, {"Type": "MSR", "Size": "16"}, {"Type": "Primary", "Extend": "true"}]
        modified = [("1", {"Format": "FAT32", "Label": "System"}), ("3", windows)]
    else:
        created = [{"Type": "Primary", "Extend": "true"}]
        modified = [("1", {**windows, "Active": "true"})]
    for number, facts in enumerate(created, 1):
        _added(create, "CreatePartition", {"Order": str(number), **facts})
    for number, (partition, facts) in enumerate(modified, 1):
        _added(modify, "ModifyPartition", {"Order": str(number), "PartitionID": partition, **facts})
    _set(root, "InstallTo/PartitionID", modified[-1][0])


def _commands(parent: etree._Element, tag: str, line: str, commands: Iterable[tuple[str, str]]) -> None:
    for number, (command, why) in enumerate(commands, 1):
        _added(parent, tag, {"Order": str(number), line: command, "Description": why})


def _added(parent: etree._Element, tag: str, facts: Mapping[str, str]) -> None:
    element = SubElement(parent, _name(tag), {_ACTION: "add"})
    for name, value in facts.items():
        _child(element, name, value)


def _child(parent: etree._Element, tag: str, text: str) -> None:
    element = Element(_name(tag))
    element.text = text
    parent.append(element)


def _set(root: etree._Element, path: str, text: str) -> None:
    """Fill in every element at the end of `path` that has no children of its own."""
    found = _find(root, path)
    assert found, path
    for element in found:
        if len(element) == 0:
            element.text = text


def _one(root: etree._Element, path: str) -> etree._Element:
    (element,) = _find(root, path)
    return element


def _find(root: etree._Element, path: str) -> list[etree._Element]:
    steps = "/".join(str(_name(step)) for step in path.split("/"))
    return list(root.iterfind(f".//{steps}"))


def _name(tag: str) -> QName:
    return QName(_UNATTEND, tag)
