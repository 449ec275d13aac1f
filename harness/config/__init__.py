"""Guest definitions: one TOML file each, every key documented and checked."""

from harness.config.guest import (
    CellDefinition,
    DebianImage,
    FreeBsdDisk,
    FreeBsdKernel,
    Guest,
    Os2Image,
    WineImage,
    load_guest,
    load_guests,
)

__all__ = [
    "CellDefinition",
    "DebianImage",
    "FreeBsdDisk",
    "FreeBsdKernel",
    "Guest",
    "Os2Image",
    "WineImage",
    "load_guest",
    "load_guests",
]
