"""One target of `argosy check`: what it is, how its containers are had, and its report."""

import datetime
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from argosy import model_archive
from argosy.cli import output
from argosy.cli.building import loading
from argosy.cli.checking.options import Options
from argosy.cli.checking.remembered import key_of
from argosy.cli.containers import PROCESS, open_container
from argosy.cli.environment import Environment
from argosy.cli.transfers import open_access
from argosy.conformance.finding import Report
from argosy.conformance.observing.bench import Bench
from argosy.conformance.observing.severity import Severity
from argosy.conformance.profile import Profile
from argosy.conformance.run import Subject, examine, now
from argosy.conformance.terms import Terms
from argosy.errors import ArgosyError
from argosy.image import reference
from argosy.image.image import Image
from argosy.image.materials.scanner import Scan
from argosy.project import Project
from argosy.publishing.description import stored
from argosy.registry import transports
from argosy.simulator.containers.container import Container, Launch


class Target:
    """An image or a project that is checked.

    Args:
        name: As it was named: an image reference, or a project folder.
        options: How it is checked.
        around: The environment of the command line.

    Raises:
        ProjectError: Its argosy.toml is wrong.
    """

    def __init__(self, name: str, options: Options, around: Environment) -> None:
        self.name = name
        self._options = options
        self._around = around
        self._project: Project | None = loading.load(Path(name)) if Path(name).is_dir() else None
        self._image: Image | None = None  # once it is read or built: every container is made of the same
        self.terms = Terms(
            self._profile(),
            options.waivers_of(self._project),
            datetime.datetime.now(datetime.UTC).date(),
        )

    @property
    def is_online(self) -> bool:
        """Whether AWS is asked about it."""
        return self._options.is_online

    def key(self) -> str:
        """What decides its report: see `remembered.key_of`.

        Raises:
            ArgosyError: It cannot be looked at.
        """
        return key_of(self.name, self._options, self.terms, self._around)

    def check(self) -> Report:
        """Look at it, run it, judge it.

        Raises:
            ArgosyError: It cannot be examined at all.
        """
        # A project that an engine is to run is built first, and then it is an image.
        is_process = self._project is not None and self._options.container in (None, PROCESS)
        with self._artifacts(is_process) as model_data:
            return self._check(is_process, model_data)

    def _check(self, is_process: bool, model_data: Path | None) -> Report:
        options = self._options
        bench = Bench(
            launch=self._launch,
            is_read_only=not is_process,
            samples=options.samples,
            startup_s=options.startup_s,
            instance_type=options.instance_type,
            serverless_mb=options.serverless_mb,
            drills=Severity() if options.with_drills else None,
        )
        belongs = self._project or options.project
        subject = Subject(
            self.name,
            model_data=model_data,
            project=belongs,
            is_online=options.is_online,
            scan=self._scan,
            is_project=self._project is not None,
        )
        if not is_process:
            with output.step(f"read {self.name}"):
                subject = self._with_image(subject)
            self._image = subject.image
        if belongs is not None:
            digest = None if subject.image is None else subject.image.digest
            subject = replace(subject, project=stored.as_sold(belongs, digest))
        with output.step(f"check {self.name}"):
            return examine(subject, bench, self.terms)

    def not_examined(self, error: ArgosyError) -> Report:
        """The report that says why there is none."""
        is_project = self._project is not None
        return Report(
            self.name,
            "",
            "",
            0.0,
            profile=self.terms.profile,
            checked_at=now(),
            is_project=is_project,
            failure=" ".join(str(error).split()),
        )

    @contextmanager
    def _artifacts(self, is_process: bool) -> Iterator[Path | None]:
        """The archive that goes with it: the one that was named, or a project's own that are not in its image."""
        found = self._project
        if self._options.model_data is not None or is_process or found is None or found.model.bake:
            yield self._options.model_data
        elif found.artifacts_dir is None:
            yield None
        else:
            with tempfile.TemporaryDirectory(prefix="argosy-artifacts-") as folder:
                archive = Path(folder) / "model.tar.gz"
                model_archive.pack(found.artifacts_dir, archive)
                yield archive

    def _profile(self) -> Profile:
        """The one that was asked for, or what the project says by having a `[marketplace]` table or none."""
        belongs = self._project or self._options.project
        is_sold = belongs is not None and belongs.marketplace is not None
        return self._options.profile or (Profile.MARKETPLACE if is_sold else Profile.SAGEMAKER)

    def _launch(self, launch: Launch) -> Container:
        """A container of it, with no more processors than the instance type has.

        One alone gets no more of the memory and the disk (`starts/instance.py`), so that what lacks has one finding.
        """
        declared = self._options.instance_type
        if declared is not None:
            launch = replace(launch, cpus=launch.cpus or declared.cpus)
        return open_container(self.name, self._options.container, launch, self._around, self._image)

    def _scan(self, image: Image) -> Scan:
        """What a scanner finds in the image."""
        from argosy.cli.building import materials  # with it comes all that describes an image

        return materials.scanned(image, self._around.cache_dir, self._around.variables)

    def _with_image(self, subject: Subject) -> Subject:
        """The subject with its image at rest."""
        if self._project is not None:
            from argosy.cli import build  # half of what this program is: an image that is there is read without it

            return replace(subject, image=build.build_project(self._project, None, self._around))
        place = reference.parse(self.name)
        is_stored = isinstance(place, reference.RegistryReference | reference.LayoutReference)
        image = transports.read_image(self.name, open_access(self._around))
        return replace(subject, image=image, is_stored=is_stored)
