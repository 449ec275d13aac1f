"""Images of real Windows that were installed here: kept in the cache until somebody removes them.

Below the cache: `windows/NAME/` with `disk.qcow2` (the installed system as it was powered off, and in it the snapshot
`warm` of the running one, agents waiting), `facts.json` and `keys.json`. One that is there is complete.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import ConfigError, SetupError
from harness.images.host_tool import space_checked
from harness.images.windows.keys import WindowsKeys
from harness.places import cache_dir

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")


@dataclass(frozen=True, slots=True)
class WindowsImage:
    """A complete image. What cannot be read of it raises SetupError."""

    directory: Path

    @property
    def name(self) -> str:
        return self.directory.name

    @property
    def disk(self) -> Path:
        return self.directory / "disk.qcow2"

    def facts(self) -> Mapping[str, str]:
        """What it was made of: release, image, architecture, firmware, memory and more."""
        return self._fields("facts.json")

    def keys(self) -> WindowsKeys:
        """The keys and the password that its Windows knows."""
        try:
            return WindowsKeys(**self._fields("keys.json"))
        except TypeError as error:
            raise SetupError(f"the image {self.directory} is damaged: its keys are no keys") from error

    def _fields(self, name: str) -> Mapping[str, str]:
        try:
            found: Mapping[str, str] = json.loads((self.directory / name).read_text())
        except (OSError, ValueError) as error:
            raise SetupError(f"the image {self.directory} is damaged: {name}: {error}") from error
        return found


class WindowsImages:
    """The images of this machine."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or cache_dir() / "windows"

    def all(self) -> list[WindowsImage]:
        """Every complete image, by name."""
        if not self.root.is_dir():
            return []
        return [WindowsImage(path) for path in sorted(self.root.iterdir()) if not path.name.startswith(".")]

    def find(self, name: str) -> WindowsImage | None:
        """The image called `name`, if there is one."""
        return next((image for image in self.all() if image.name == name), None)

    def publish(
        self, name: str, *, fill: Callable[[WindowsImage], None], keys: WindowsKeys, facts: Mapping[str, str]
    ) -> WindowsImage:
        """Keep a new image, whose disk `fill` puts there; one of the same name is replaced when the new one is
        complete. Nothing is left of one that fails."""
        check_name(name)
        making = WindowsImage(self.root / f".{secrets.token_hex(4)}")
        try:
            with space_checked(f"cannot keep the image {name} in {self.root}"):
                making.directory.mkdir(mode=0o700, parents=True)
                fill(making)
                _write(making.directory / "keys.json", asdict(keys))
                _write(making.directory / "facts.json", facts)
                finished = WindowsImage(self.root / name)
                self.remove(name)
                making.directory.rename(finished.directory)
        finally:
            shutil.rmtree(making.directory, ignore_errors=True)
        return finished

    def remove(self, name: str) -> bool:
        """Remove the image called `name`; whether there was one."""
        image = self.find(name)
        if image is not None:
            shutil.rmtree(image.directory)
        return image is not None


def check_name(name: str) -> None:
    """Raises ConfigError unless an image can be called `name`."""
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} is no name for an image", hint="small letters, digits and '-', at most 41")


def _write(path: Path, fields: Mapping[str, str]) -> None:
    path.touch(mode=0o600)
    path.write_text(json.dumps(fields, indent=1) + "\n")
