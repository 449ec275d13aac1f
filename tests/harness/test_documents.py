"""The documents say what the program does: every option is described, every link leads somewhere."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from harness import plugin
from harness.cli import commands
from harness.plugin.options import MARKERS, pytest_addoption

ROOT = Path(__file__).parents[2]
COMMAND_LINE = ROOT / "docs" / "command-line.md"
NOT_OURS = {"build", "results", "node_modules"}
FIXTURES = [name for name in plugin.__all__ if not name.startswith("pytest_")]


class OptionNames:
    """Stands for pytest's parser and its groups, and keeps the names of the options it is given."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def getgroup(self, *_names: str) -> OptionNames:
        return self

    def addoption(self, *names: str, **_details: object) -> None:
        self.names.extend(names)


def plugin_options() -> list[str]:
    parser = OptionNames()
    pytest_addoption(parser)
    return parser.names


def every_command(group: click.Group = commands, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    """The commands by their whole names, those in groups too."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from every_command(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def command_options() -> Iterator[tuple[str, str]]:
    for name, command in every_command():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                for option in (*parameter.opts, *parameter.secondary_opts):
                    yield name, option


def section(heading: str) -> str:
    """The text from `heading` to the next heading of its level or a higher one."""
    level = heading.index(" ")
    lines = iter(COMMAND_LINE.read_text(encoding="utf-8").splitlines())
    assert heading in lines, f"{COMMAND_LINE}: no heading {heading!r}"
    taken = []
    for line in lines:
        if re.match(rf"#{{1,{level}}} ", line):
            break
        taken.append(line)
    return "\n".join(taken)


def describes(text: str, word: str) -> bool:
    """Whether `word` is there in code type, alone or with what follows it."""
    return re.search(rf"`{re.escape(word)}(?![\w-])[^`]*`", text) is not None


def documents() -> list[Path]:
    found = []
    for directory, below, files in os.walk(ROOT):
        below[:] = [name for name in below if not name.startswith(".") and name not in NOT_OURS]
        found += [Path(directory, name) for name in files if name.endswith(".md")]
    return sorted(found)


def anchors(document: Path) -> set[str]:
    """The anchors that GitHub makes of a document's headings."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", [name for name, _command in every_command()])
def test_every_command_has_a_section(name):
    assert section(f"## harness {name}").strip()


@pytest.mark.parametrize(("name", "option"), list(command_options()))
def test_every_option_of_a_command_is_in_its_section(name, option):
    assert describes(section(f"## harness {name}"), option)


def test_the_options_of_harness_itself_are_described():
    options = [option for parameter in commands.params for option in parameter.opts]
    options += commands.context_settings["help_option_names"]
    assert [option for option in options if not describes(section("## harness"), option)] == []


@pytest.mark.parametrize("option", plugin_options())
def test_every_option_of_the_plugin_is_described(option):
    assert describes(section("### pytest options"), option)


@pytest.mark.parametrize("marker", [marker.partition(":")[0] for marker in MARKERS])
def test_every_marker_is_described(marker):
    assert describes(section("### Markers"), marker)


@pytest.mark.parametrize("fixture", FIXTURES)
def test_every_fixture_is_described(fixture):
    assert describes(section("### Fixtures"), fixture)


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(document):
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        place = document.parent / path if path else document
        if not place.exists() or (anchor and anchor not in anchors(place)):
            dead.append(target)
    assert dead == []


@pytest.mark.parametrize("command", ["make matrix", "make test"])
def test_the_readme_names_the_command(command):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"^ +{command}\b", readme, re.MULTILINE)


def test_the_readme_has_a_place_for_the_measured_figures():
    assert re.search(r"<!-- bench -->\n.*<!-- /bench -->", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
