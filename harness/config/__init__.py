"""Guest definitions: one TOML file each, every key documented and checked."""

from harness.config.guest import CellDefinition, DebianImage, Guest, WineImage, load_guest, load_guests

__all__ = ["CellDefinition", "DebianImage", "Guest", "WineImage", "load_guest", "load_guests"]
