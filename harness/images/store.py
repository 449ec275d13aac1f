"""Finished images, kept: built once, used from then on without asking anybody.

Below the store's root: `images/NAME-CONTENT` are finished images, named after the recipe and the packages
that went in and never changed again; `current/NAME-RECIPE` points at the one a recipe uses; `debs` and `apt`
are the package cache; `tmp-NAME` is where an image is made. Only a finished image is renamed into `images`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Protocol, TypeVar

from harness.events import SILENT, Progress, stage
from harness.images.debs import AptRoot, Package
from harness.images.host_tool import space_checked
from harness.places import cache_dir

MANIFEST = "manifest.json"

Built_co = TypeVar("Built_co", covariant=True)


class Recipe(Protocol[Built_co]):
    """How one image is made. Equal recipes have equal keys."""

    @property
    def name(self) -> str:
        """For people and for file names: `linux-amd64`."""

    @property
    def suite(self) -> str:
        """The Debian release to take packages from; empty for the host's."""

    def key(self) -> str:
        """A hash of all that decides the image but the packages' versions. Reads the project's files only."""

    def resolve(self, apt: AptRoot) -> Sequence[Package]:
        """The packages that go in, as they are published now."""

    def build(
        self, files: Mapping[Package, Path], into: Path, *, work: Path, progress: Progress
    ) -> Mapping[str, object]:
        """Fill the directory `into` from the packages' `files`, using `work` for what is not kept. Returns
        facts for the manifest. What takes minutes is told to `progress`."""

    def open(self, directory: Path) -> Built_co:
        """The image in `directory`, which `build` filled."""


Built = TypeVar("Built")


def default_root() -> Path:
    """`images` in the harness's cache."""
    return cache_dir() / "images"


class ImageStore:
    """The images below `root` (default: `default_root()`). Any number of processes may share it."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = (root or default_root()).absolute()

    def find(self, recipe: Recipe[Built]) -> Built | None:
        """The finished image of `recipe`, or None. Asks nobody, builds nothing: a few milliseconds."""
        link = self._link(recipe)
        return recipe.open(link.resolve()) if (link / MANIFEST).is_file() else None

    def ensure(self, recipe: Recipe[Built], *, progress: Progress = SILENT) -> Built:
        """The image of `recipe`; built from the newest packages if there is none yet.

        Raises SetupError, and leaves nothing half made, if that fails.
        """
        found = self.find(recipe)
        if found is not None:
            return found
        with self._building(recipe, progress):
            return self.find(recipe) or self._build(recipe, progress)

    def refresh(self, recipe: Recipe[Built], *, progress: Progress = SILENT) -> Built:
        """The image of `recipe` from the newest packages; the same as before if there are no newer ones."""
        with self._building(recipe, progress):
            return self._build(recipe, progress)

    def prune(self, recipes: Iterable[Recipe[object]]) -> int:
        """Remove every image but those that `recipes` use now, and the downloaded packages.

        Returns how many images went. Call it only while no guest is running from an older image.
        """
        links = {self._link(recipe) for recipe in recipes}
        used = {link.resolve() for link in links}
        with self._lock("lock", fcntl.LOCK_EX):
            old = [path for path in (self.root / "images").glob("*") if path.resolve() not in used]
            for link in (self.root / "current").glob("*"):
                if link not in links:
                    link.unlink()
            for path in (*old, self.root / "debs"):
                shutil.rmtree(path, ignore_errors=True)
        return len(old)

    def _build(self, recipe: Recipe[Built], progress: Progress) -> Built:
        apt = AptRoot(self.root, suite=recipe.suite, progress=progress)
        packages = sorted(recipe.resolve(apt), key=lambda package: (package.name, package.arch))
        listed = [asdict(package) for package in packages]
        content = hashlib.sha256(json.dumps([recipe.key(), listed]).encode()).hexdigest()
        final = self.root / "images" / f"{recipe.name}-{content[:16]}"
        if not (final / MANIFEST).is_file():
            files = dict(zip(packages, apt.fetch(packages), strict=True))
            new, work = self._tmp(recipe) / "new", self._tmp(recipe) / "work"
            new.mkdir(parents=True)
            work.mkdir()
            with stage(progress, f"build image {recipe.name}"):
                facts = recipe.build(files, new, work=work, progress=progress)
                about = {"name": recipe.name, "recipe": recipe.key(), "suite": recipe.suite, **facts}
                manifest = json.dumps({**about, "packages": listed}, indent=2)
                (new / MANIFEST).write_text(manifest + "\n")
                shutil.rmtree(final, ignore_errors=True)
                final.parent.mkdir(exist_ok=True)
                new.rename(final)
        self._point(recipe, final)
        return recipe.open(final)

    def _tmp(self, recipe: Recipe[object]) -> Path:
        return self.root / f"tmp-{recipe.name}"

    def _link(self, recipe: Recipe[object]) -> Path:
        return self.root / "current" / f"{recipe.name}-{recipe.key()[:16]}"

    def _point(self, recipe: Recipe[object], final: Path) -> None:
        link = self._link(recipe)
        link.parent.mkdir(exist_ok=True)
        self._tmp(recipe).mkdir(exist_ok=True)
        new = self._tmp(recipe) / link.name
        new.symlink_to(Path("..") / "images" / final.name)
        new.replace(link)

    @contextmanager
    def _building(self, recipe: Recipe[Built], progress: Progress) -> Iterator[None]:
        """Recipes of one name take turns; others need not wait, since a kernel takes a quarter of an hour."""
        with (
            space_checked(f"cannot build image {recipe.name} in {self.root}"),
            self._lock("lock", fcntl.LOCK_SH, progress),
            self._lock(f"lock-{recipe.name}", fcntl.LOCK_EX, progress),
        ):
            self._clear(recipe)
            try:
                yield
            finally:
                self._clear(recipe)

    def _clear(self, recipe: Recipe[object]) -> None:
        """Remove what a build left; whoever has the recipe's lock knows that no other build of it is running."""
        shutil.rmtree(self._tmp(recipe), ignore_errors=True)

    @contextmanager
    def _lock(self, name: str, kind: int, progress: Progress = SILENT) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / name).open("w") as lock:
            try:
                fcntl.flock(lock, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                with stage(progress, f"wait for another build in {self.root}"):
                    fcntl.flock(lock, kind)
            yield
