"""Orders, the store of images, and the watch over a Windows that installs itself; without a guest."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import BootError, ConfigError, HarnessError, ProvisionError, SetupError
from harness.events import RecordingProgress
from harness.images.windows.keys import make_windows_keys
from harness.images.windows.releases import BIOS, UEFI
from harness.provision import windows_machine
from harness.provision.windows_images import WindowsImage, WindowsImages
from harness.provision.windows_machine import Machine, machine_of
from harness.provision.windows_watch import Limits, Watch
from harness.session.lab import Lab, LabOptions
from harness.session.windows_building import Order, build
from tests.harness.windows_media import medium, wim

KEYS = make_windows_keys()
MACHINE = Machine(arch="amd64", firmware=BIOS, accelerator="qemu", memory_mib=2048, cpus=2, virtio=True)
PATIENT = Limits(whole=20.0, silence=20.0)
TEN = ("Windows 10 Pro", "amd64", 19045, False)
TEN_X86 = ("Windows 10 Pro", "x86", 19045, False)
ELEVEN = ("Windows 11 Pro", "amd64", 22631, False)
VISTA = ("Windows Vista", "amd64", 6000, False)


class FakeGuest:
    """A guest whose console a test writes."""

    def __init__(self, place: Path) -> None:
        self.console = place / "console.log"
        self.disk = place / "disk.qcow2"
        self.disk.write_bytes(b"")
        self.console.write_bytes(b"")
        self.on = True
        self.keys = 0
        self.has_screen = True

    def say(self, *lines: str) -> None:
        with self.console.open("a") as stream:
            stream.write("".join(f"supdrv-guest: {line}\r\n" for line in lines))

    def running(self) -> bool:
        return self.on

    def press_space(self) -> None:
        self.keys += 1

    def screenshot(self, path: Path) -> None:
        if not self.has_screen:
            raise ProvisionError("no screen")
        path.write_bytes(b"P6")


@pytest.fixture
def guest(tmp_path: Path) -> FakeGuest:
    return FakeGuest(tmp_path)


@pytest.fixture
def progress() -> RecordingProgress:
    return RecordingProgress()


@pytest.fixture
def watch(guest: FakeGuest, tmp_path: Path, progress: RecordingProgress) -> Iterator[Watch]:
    evidence = tmp_path / "evidence"
    with Watch(
        guest, name="ten", console=guest.console, disk=guest.disk, evidence=evidence, progress=progress
    ) as watch:
        yield watch


def test_what_the_guest_says_is_progress(guest: FakeGuest, watch: Watch, progress: RecordingProgress) -> None:
    guest.say("first logon", "step files", "ready")
    watch.until("ready", PATIENT, then_off=False)
    assert progress.steps == ["ten: first logon", "ten: step files", "ten: ready"]


def test_a_guest_that_is_to_power_off_is_waited_for(guest: FakeGuest, watch: Watch) -> None:
    guest.say("installed")
    timer = threading.Timer(0.6, setattr, (guest, "on", False))
    timer.start()
    watch.until("installed", PATIENT, then_off=True)
    assert not guest.on


def test_the_last_words_of_a_guest_count(guest: FakeGuest, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says them after it was last listened to, and is off when it is looked at."""

    def running() -> bool:
        guest.say("installed")
        return False

    monkeypatch.setattr(guest, "running", running)
    watch.until("installed", PATIENT, then_off=True)


@pytest.mark.parametrize(
    ("lines", "on", "limits", "complaint"),
    [
        (["failed: openssh, status 2"], True, PATIENT, "the Windows of ten has a step that failed openssh, status 2"),
        (["first logon"], False, PATIENT, "the Windows of ten has stopped without having said 'ready'"),
        ([], True, replace(PATIENT, silence=0.3), "the Windows of ten has said nothing and written nothing for "),
        (["step power"], True, replace(PATIENT, whole=0.3), "the Windows of ten was given up after "),
    ],
)
def test_trouble_is_told_with_the_console_and_the_screen(
    guest: FakeGuest, watch: Watch, tmp_path: Path, lines: list[str], on: bool, limits: Limits, complaint: str
) -> None:
    guest.on = on
    guest.say(*lines)
    with pytest.raises(BootError) as caught:
        watch.until("ready", limits, then_off=False)
    assert caught.value.message.startswith(complaint)
    assert all(line in caught.value.evidence for line in lines)
    assert (tmp_path / "evidence" / "console.log").exists()
    assert (tmp_path / "evidence" / "screen.ppm").exists() is on


def test_a_screen_that_cannot_be_kept_hides_no_trouble(guest: FakeGuest, watch: Watch) -> None:
    guest.has_screen = False
    guest.say("failed: agent, status 1")
    with pytest.raises(BootError, match="failed agent") as caught:
        watch.until("ready", PATIENT, then_off=False)
    assert "its screen could not be kept: no screen" in caught.value.hint


def test_a_guest_that_writes_is_not_silent(guest: FakeGuest, watch: Watch) -> None:
    stop = threading.Event()

    def write() -> None:
        while not stop.wait(0.1):
            with guest.disk.open("ab") as stream:
                stream.write(b"x" * 8192)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with pytest.raises(BootError, match="was given up"):
            watch.until("ready", Limits(whole=1.5, silence=0.7), then_off=False)
    finally:
        stop.set()
        writer.join()


@pytest.mark.parametrize(("seconds", "pressed"), [(0.0, False), (9.0, True)])
def test_any_key_is_pressed_for_as_long_as_the_medium_may_ask(
    guest: FakeGuest, watch: Watch, seconds: float, pressed: bool
) -> None:
    with pytest.raises(BootError):
        watch.until("ready", Limits(whole=0.5, silence=9.0, any_key=seconds), then_off=False)
    assert (guest.keys > 0) is pressed


def fill(image: WindowsImage) -> None:
    image.disk.write_bytes(b"disk")


def test_an_image_is_kept_whole_and_found_again(tmp_path: Path) -> None:
    store = WindowsImages(tmp_path)
    store.publish("ten", fill=fill, keys=KEYS, facts=MACHINE.facts())
    (found,) = store.all()
    assert (found.name, found.keys(), machine_of(found)) == ("ten", KEYS, MACHINE)
    assert found.disk.read_bytes() == b"disk"


def test_an_image_that_fails_leaves_nothing_and_harms_no_older_one(tmp_path: Path) -> None:
    store = WindowsImages(tmp_path)
    store.publish("ten", fill=fill, keys=KEYS, facts={"release": "10"})

    def fail(_image: WindowsImage) -> None:
        raise BootError("no")

    with pytest.raises(BootError):
        store.publish("ten", fill=fail, keys=KEYS, facts={})
    assert [path.name for path in tmp_path.iterdir()] == ["ten"]
    assert store.all()[0].facts() == {"release": "10"}


def test_a_new_image_takes_the_place_of_an_old_one(tmp_path: Path) -> None:
    store = WindowsImages(tmp_path)
    for release in ("10", "11"):
        store.publish("mine", fill=fill, keys=KEYS, facts={"release": release})
    assert [image.facts() for image in store.all()] == [{"release": "11"}]


def test_an_image_is_removed_once(tmp_path: Path) -> None:
    store = WindowsImages(tmp_path)
    store.publish("ten", fill=fill, keys=KEYS, facts={})
    assert [store.remove("ten"), store.remove("ten"), store.all()] == [True, False, []]


@pytest.mark.parametrize("name", ["", "../ten", "Ten", "t/en", "x" * 60])
def test_a_name_that_is_no_directory_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="is no name for an image"):
        WindowsImages(tmp_path).publish(name, fill=fill, keys=KEYS, facts={})


@pytest.mark.parametrize(
    ("file", "text"),
    [("facts.json", "{"), ("facts.json", "{}"), ("facts.json", '{"machine": "{}"}'), ("keys.json", "{}")],
)
def test_a_damaged_image_says_so(tmp_path: Path, file: str, text: str) -> None:
    image = WindowsImages(tmp_path).publish("ten", fill=fill, keys=KEYS, facts=MACHINE.facts())
    (image.directory / file).write_text(text)
    with pytest.raises(SetupError, match="is damaged"):
        machine_of(image) if file == "facts.json" else image.keys()


@pytest.mark.parametrize(
    ("image", "changes", "complaint"),
    [
        (TEN, {"arch": "x86"}, "has no Windows 10 for x86"),
        (TEN, {"release": "11"}, "has no Windows 11 for amd64"),
        (TEN_X86, {}, "has no Windows 10 for amd64"),
        (VISTA, {}, "holds builds 6000, and none of Windows 10, Windows 11, Windows Server 2022"),
        (ELEVEN, {"arch": "x86"}, "there is no Windows 11 for x86"),
        (ELEVEN, {"disk_gib": 40}, "Windows 11 wants --disk 64 at least, not 40"),
        (ELEVEN, {"memory_mib": 2048}, "Windows 11 wants --memory 4096 at least, not 2048"),
        (TEN_X86, {"arch": "x86", "firmware": UEFI}, "an x86 Windows starts from BIOS only here"),
        (ELEVEN, {}, "there is no UEFI for guests here"),
        (TEN, {"name": "A B"}, "'A B' is no name for an image"),
        (TEN, {"virtio_iso": Path("/none.iso")}, "/none.iso: no such file"),
    ],
)
def test_what_is_wrong_with_an_order_is_said_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image: tuple[str, str, int, bool], changes: dict, complaint: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(windows_machine, "_FIRMWARE", ())
    iso = medium(tmp_path / "windows.iso", {"sources/install.wim": wim(image)})
    order = replace(Order(arch="amd64", iso=iso), **changes)
    lab = Lab(LabOptions(project=tmp_path, evidence=tmp_path, uri="test:///nowhere"), RecordingProgress())
    with pytest.raises(HarnessError) as caught:
        build(lab, order, probe=None)  # type: ignore[arg-type]
    assert complaint in caught.value.message
