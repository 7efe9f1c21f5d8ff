"""A project with a Dockerfile -> the image that an engine would build of it, of Debian's packages and PyPI's wheels.

The base images that the Dockerfiles name have a stand-in, Argosy's own base of Debian 12 with Python 3.11: no registry
is needed. What is installed comes through the same downloads and caches as in `argosy build`.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath

from argosy import project
from argosy.cli import environment
from argosy.image import build, filesystem, venv
from argosy.image.blobs import BlobStore
from argosy.image.build import Surroundings
from argosy.image.debian.rootfs import debian_image
from argosy.image.debian.system_packages import system_layer
from argosy.image.download import Download, fetch
from argosy.image.image import Image
from argosy.image.interpreter import find_interpreter, search_path
from argosy.image.layer import LayerCache, Member, from_file, write_layer
from argosy.image.layers import recipes
from argosy.image.layers.making import Examination, make_layers
from argosy.image.manifest import NamedLayer, Settings, assemble
from argosy.project import Project
from tests.foreign import dockerfile
from tests.foreign.dockerfile import Copy, Stage

STAND_INS = ("debian:bookworm-slim", "python:3.11-slim")
PYTHON = "3.11"


class Assembler:
    """Makes images; what they share is made once for all users of the cache."""

    def __init__(self) -> None:
        self.cache_dir = environment.read().cache_dir
        self.cache = LayerCache(self.cache_dir)
        self.base = debian_image(self.cache_dir, None, _say)

    def image(self, folder: Path, copies: Sequence[Copy] = ()) -> Image:
        """The image of a project's Dockerfile; `copies` are made at its end."""
        *earlier, last = dockerfile.read(folder / "Dockerfile", {"PATH": search_path(self.base)})
        if last.commands:
            raise ValueError(f"only an earlier stage can run these: {last.commands}")
        last.copies += copies
        with tempfile.TemporaryDirectory(prefix="argosy-stages-") as made:
            for stage in earlier:
                self._run(stage, folder, Path(made) / stage.name)
            layers = self._installed(last, folder)
            program = write_layer(_copied(last, folder, Path(made)), self.cache.store)
        variables = dict(last.environment)
        if last.distributions:  # there they are in the system's own folders, here in an environment
            variables["PATH"] = f"/{venv.VENV}/bin:{variables['PATH']}"
        settings = Settings(variables, last.entrypoint, (), last.working_dir, None, last.labels)
        return assemble(self.base, [*layers, NamedLayer("COPY", program)], settings, self.cache.store)

    def _run(self, stage: Stage, folder: Path, root: Path) -> None:
        """Run a stage's commands in its files, which stay in `root`."""
        settings = Settings(stage.environment, (), (), "", None, {})
        image = assemble(self.base, self._installed(stage, folder), settings, self.cache.store)
        filesystem.unpack(image, root)
        for member in _copied(stage, folder, root.parent):
            target = root / member.path
            target.parent.mkdir(parents=True, exist_ok=True)
            assert member.open is not None
            with member.open() as source, target.open("wb") as file:
                shutil.copyfileobj(source, file)
        for command in stage.commands:
            subprocess.run(
                ["unshare", "--user", "--map-root-user", f"--root={root}", "--wd=/", "/bin/sh", "-c", command],
                check=True, timeout=60, env=stage.environment,
            )  # fmt: skip

    def _installed(self, stage: Stage, folder: Path) -> list[NamedLayer]:
        """The layers of a stage's Debian packages and wheels."""
        if stage.base not in STAND_INS:
            raise ValueError(f"no stand-in for {stage.base}")
        layers: list[NamedLayer] = []
        with _project(stage, folder) as described:
            if stage.packages:
                system = system_layer(described, self.base, self.cache_dir, _say)
                assert system is not None
                layers.append(NamedLayer("RUN apt-get install", system.layer))
            if stage.requirements or stage.distributions:
                layers += self._wheels(described)
        return layers

    def _wheels(self, described: Project) -> list[NamedLayer]:
        python = find_interpreter(self.base, PYTHON, self.cache_dir)
        around = Surroundings(self.cache_dir, dict(os.environ), lambda _: None, _say)
        wheels = build.plan(described, python, around).dependencies
        downloads = BlobStore(self.cache_dir / "downloads", is_cache=True)
        fetch([Download(wheel.url, wheel.digest, wheel.size) for wheel in wheels], downloads, _say)
        how = recipes.Wheels(python, False, frozenset(), downloads.path)
        made = make_layers(
            recipes.dependencies(wheels, how), self.cache, lambda _: None, Examination(lambda *_: None),
            lambda _: None, _say,
        )  # fmt: skip
        skeleton = write_layer(venv.skeleton(python), self.cache.store)
        return [NamedLayer("RUN python -m venv", skeleton), *made]


@contextmanager
def _project(stage: Stage, folder: Path) -> Iterator[Project]:
    """What is installed, as a project says it that knows of Argosy."""
    lines = ["[model]", 'predictor = "predictor:Model"', "[image]", f"system_packages = {json.dumps(stage.packages)}"]
    with tempfile.TemporaryDirectory(prefix="argosy-foreign-") as made:
        if stage.requirements or stage.distributions:
            listed = (folder / PurePosixPath(stage.requirements).name).read_text() if stage.requirements else ""
            (Path(made) / "requirements.txt").write_text("\n".join([listed, *stage.distributions]))
            lines.append('dependencies = "requirements.txt"')
        (Path(made) / "argosy.toml").write_text("\n".join(lines))
        (Path(made) / "predictor.py").write_text("class Model: ...\n")
        yield project.load(Path(made))


def _copied(stage: Stage, folder: Path, stages: Path) -> list[Member]:
    found = []
    for copy in stage.copies:
        for source in copy.sources:
            file = stages / copy.stage / source.lstrip("/") if copy.stage else folder / source
            if file.is_dir():
                inside = [path for path in file.rglob("*") if path.is_file()]
                placed = {f"{copy.target.rstrip('/')}/{path.relative_to(file)}": path for path in inside}
            else:
                placed = {copy.target + file.name if copy.target.endswith("/") else copy.target: file}
            found += [_member(target, path, target in stage.executables) for target, path in placed.items()]
    return sorted(found, key=lambda member: member.path)


def _member(target: str, path: Path, is_executable: bool) -> Member:
    member = from_file(target.lstrip("/"), path)
    return replace(member, mode=0o755) if is_executable else member


def _say(text: str) -> None:
    print(text)
