"""The answer file of an installation, and the seed that carries it."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from lxml import etree

from harness.errors import ConfigError, SetupError
from harness.images.windows import seed
from harness.images.windows.answer_file import ANSWER_FILE, FIRST_LOGON, Answers, answer_file, check
from harness.images.windows.keys import make_windows_keys
from harness.images.windows.releases import BIOS, RELEASES, UEFI
from harness.images.windows.seed import SEED_LABEL, read_seed, write_seed
from harness.images.windows.seed_files import Parts, seed_files

NAMES = {"u": "urn:schemas-microsoft-com:unattend"}

ANSWERS = Answers(
    release=RELEASES["10"],
    arch="amd64",
    firmware=BIOS,
    image=2,
    password="Aa1!0123456789",
    computer="SUPDRV",
    locale="en-US",
    say="supdrv-guest: ",
)

PARTS = Parts(agents={"amd64": b"MZ64", "x86": b"MZ32"}, ports={"supdrv.agent": r"\\.\Global\supdrv.agent"})


def parse(answers: Answers) -> etree._Element:
    return etree.fromstring(answer_file(answers))


def texts(root: etree._Element, path: str) -> list[str]:
    return [element.text for element in root.xpath(path, namespaces=NAMES)]


@pytest.mark.parametrize(
    ("release", "arch", "firmware"),
    [
        (release, arch, firmware)
        for release, firmware in product(RELEASES.values(), (BIOS, UEFI))
        for arch in release.arches
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_every_answer_file_fits_the_schema_and_its_architecture(release, arch: str, firmware: str) -> None:
    root = parse(replace(ANSWERS, release=release, arch=arch, firmware=firmware))
    components = root.xpath("//u:component", namespaces=NAMES)
    assert len(components) == 6
    assert {component.get("processorArchitecture") for component in components} == {arch}
    assert root.xpath("//text()[contains(., 'None')]") == []


@pytest.mark.parametrize(
    ("firmware", "kinds", "installed_to", "active"),
    [(BIOS, ["Primary"], "1", ["true"]), (UEFI, ["EFI", "MSR", "Primary"], "3", [])],
)
def test_the_disk_is_laid_out_for_its_firmware(
    firmware: str, kinds: list[str], installed_to: str, active: list[str]
) -> None:
    root = parse(replace(ANSWERS, firmware=firmware))
    assert texts(root, "//u:CreatePartition/u:Type") == kinds
    assert texts(root, "//u:InstallTo/u:PartitionID") == [installed_to]
    assert texts(root, "//u:ModifyPartition/u:Active") == active


def test_only_windows_11_is_told_to_overlook_its_hardware() -> None:
    wanted = {"TPM", "SecureBoot", "RAM", "CPU", "Storage"}
    for name, release in RELEASES.items():
        commands = "\n".join(texts(parse(replace(ANSWERS, release=release)), "//u:RunSynchronousCommand/u:Path"))
        assert set(re.findall(r"LabConfig /v Bypass(\w+)Check", commands)) == (wanted if name == "11" else set())


def test_the_first_logon_calls_the_script_of_the_seed_on_whatever_drive_it_is() -> None:
    (command,) = texts(parse(ANSWERS), "//u:FirstLogonCommands//u:CommandLine")
    assert rf"%d:\{FIRST_LOGON}" in command


def test_the_user_logs_on_once_with_the_password_that_all_share() -> None:
    root = parse(ANSWERS)
    assert texts(root, "//u:LogonCount") == ["1"]
    assert texts(root, "//u:AutoLogon/u:Username") == texts(root, "//u:LocalAccount/u:Name")
    assert set(texts(root, "//u:Value[../u:PlainText]")) == {ANSWERS.password}


def test_characters_of_xml_arrive() -> None:
    assert texts(parse(replace(ANSWERS, password="Aa1!<&>\"'")), "//u:AutoLogon//u:Value") == ["Aa1!<&>\"'"]


def test_a_product_key_is_given_where_there_is_one() -> None:
    assert texts(parse(ANSWERS), "//u:ProductKey/u:Key") == []
    key = "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE"
    assert texts(parse(replace(ANSWERS, product_key=key)), "//u:ProductKey/u:Key") == [key]


@pytest.mark.parametrize(
    ("field", "value", "element"),
    [
        ("computer", "A NAME", "ComputerName"),
        ("computer", "SIXTEEN-LETTERS-", "ComputerName"),
        ("password", "short", "Value"),
        ("locale", "english", "Locale"),
        ("locale", "", "Locale"),
        ("product_key", "AAAAA", "Key"),
        ("arch", "arm64", "component"),
    ],
)
def test_a_value_that_setup_would_stumble_over_is_refused(field: str, value: str, element: str) -> None:
    with pytest.raises(ConfigError, match=element):
        answer_file(replace(ANSWERS, **{field: value}))


@pytest.mark.parametrize("path", ["//u:OOBE", "//u:InstallTo", "//u:Disk/u:WillWipeDisk", "//u:LocalAccount/u:Group"])
def test_the_schema_misses_what_is_left_out(path: str) -> None:
    root = parse(ANSWERS)
    (element,) = root.xpath(path, namespaces=NAMES)
    element.getparent().remove(element)
    with pytest.raises(ConfigError, match="does not fit its schema"):
        check(root)


def test_the_seed_holds_all_that_the_guest_needs() -> None:
    files = seed_files(ANSWERS, make_windows_keys(), PARTS)
    assert sorted(files) == [
        "agent-amd64.exe", "agent-x86.exe", "agent.cmd", "authorized_keys.txt", ANSWER_FILE, "hostkey.pub",
        "hostkey.txt", "ready.cmd", "settings.cmd", FIRST_LOGON,
    ]  # fmt: skip
    settings = files["settings.cmd"].decode()
    assert r'set PORTS="supdrv.agent=\\.\Global\supdrv.agent"' in settings
    assert "set AGENT=agent-amd64.exe" in settings
    assert "virtio" not in settings


def test_every_step_is_a_label_of_the_script() -> None:
    parts = replace(PARTS, virtio_driver=r"vioserial\w10\amd64\vioser.inf")
    files = seed_files(ANSWERS, make_windows_keys(), parts)
    (steps,) = re.findall(r"set STEPS=(.*)\r\n", files["settings.cmd"].decode())
    labels = re.findall(r"^:(\w+)\r$", files[FIRST_LOGON].decode(), re.MULTILINE)
    assert "virtio" in steps.split()
    assert set(steps.split()) <= set(labels)
    assert len(labels) == len(set(labels))


def test_scripts_have_the_line_ends_that_windows_wants_and_never_redirect_a_number() -> None:
    for name, content in seed_files(ANSWERS, make_windows_keys(), PARTS).items():
        if name.endswith(".cmd"):
            assert content.count(b"\n") == content.count(b"\r\n") > 0, name
            assert not re.search(rb"echo [^\r]*>%", content), name


def test_the_keys_of_the_seed_belong_together() -> None:
    keys = make_windows_keys()
    files = seed_files(ANSWERS, keys, PARTS)
    assert files["hostkey.pub"].decode().split()[:2] == keys.host_public.split()
    assert files["authorized_keys.txt"].decode().startswith(keys.client_public)
    assert keys.password not in repr(keys)


def test_an_agent_of_another_system_is_refused() -> None:
    with pytest.raises(SetupError, match="the agent for windows-x86 is no program for Windows"):
        seed_files(ANSWERS, make_windows_keys(), replace(PARTS, agents={"x86": b"\x7fELF"}))


@pytest.mark.parametrize(("name", "stored"), [("OpenSSH-Win64.zip", "openssh.zip"), ("OpenSSH.MSI", "openssh.msi")])
def test_a_given_ssh_server_is_on_the_seed(tmp_path: Path, name: str, stored: str) -> None:
    (tmp_path / name).write_bytes(b"server")
    files = seed_files(ANSWERS, make_windows_keys(), replace(PARTS, openssh=tmp_path / name))
    assert files[stored] == b"server"


@pytest.mark.parametrize(
    ("name", "complaint"), [("sshd.exe", "neither a .zip nor a .msi"), ("none.zip", "No such file")]
)
def test_an_ssh_server_of_no_use_is_refused(tmp_path: Path, name: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        seed_files(ANSWERS, make_windows_keys(), replace(PARTS, openssh=tmp_path / name))


def test_the_seed_reads_back_as_it_was_written(tmp_path: Path) -> None:
    files = seed_files(ANSWERS, make_windows_keys(), PARTS) | {"empty.txt": b"", "large.bin": bytes(range(256)) * 9000}
    write_seed(files, tmp_path / "seed.iso")
    assert read_seed(tmp_path / "seed.iso") == files
    assert SEED_LABEL.encode() in (tmp_path / "seed.iso").read_bytes()[0x8000:0x8800]


def test_a_seed_that_reads_back_differently_is_no_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seed, "read_seed", lambda _path: {"a.txt": b"another"})
    with pytest.raises(SetupError, match=r"does not read back as it was written: a\.txt"):
        write_seed({"a.txt": b"one"}, tmp_path / "seed.iso")
    assert not (tmp_path / "seed.iso").exists()


@pytest.mark.parametrize("names", [["a b.txt"], ["folder/a.txt"], ["A.txt", "a.txt"], ["name-without-end"]])
def test_a_name_that_a_disc_cannot_have_is_refused(tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(SetupError, match="cannot have"):
        write_seed(dict.fromkeys(names, b""), tmp_path / "seed.iso")


def test_a_file_that_is_no_disc_has_no_seed(tmp_path: Path) -> None:
    (tmp_path / "seed.iso").write_bytes(b"no disc" * 9000)
    with pytest.raises(SetupError, match="is not a readable disc image"):
        read_seed(tmp_path / "seed.iso")
