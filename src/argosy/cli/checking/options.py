"""The options of `argosy check` as values: samples, reports to be written, waivers."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from argosy import project
from argosy.conformance.catalogue import CLAUSES
from argosy.conformance.observing.bench import SERVERLESS_MB
from argosy.conformance.probes import Request, invocation
from argosy.conformance.profile import Profile
from argosy.conformance.reporting.form import Form
from argosy.conformance.terms import require_known
from argosy.errors import UsageError
from argosy.project import Project
from argosy.project_file import FILE_NAME, Waiver
from argosy.simulator.containers import instance_types
from argosy.simulator.containers.instance_types import InstanceType

_ANYTHING: Final = "*/*"


@dataclass(frozen=True, slots=True)
class Options:
    """How each target is checked.

    Attributes:
        profile: What it is to be; None lets the project say.
        model_data: A model.tar.gz that goes with it.
        container: What runs it; None takes what this machine has.
        instance_type: Whose processors its containers get, and one its memory and disk; None gives them all of this
            machine.
        serverless_mb: Memory of the serverless endpoint that the profile `serverless` has in mind.
        samples: Requests that it understands.
        startup_s: How long to wait for the first healthy answer.
        waivers: Those of `--waivers`.
        project: That of `--project`, to which an image belongs.
        with_drills: Whether to hurt its containers.
        is_online: Whether to ask AWS what the account has that it is sold from.
        written: Files that reports are written to: results, whatever folder they are in.
    """

    profile: Profile | None = None
    model_data: Path | None = None
    container: str | None = None
    instance_type: InstanceType | None = None
    serverless_mb: int = SERVERLESS_MB
    samples: tuple[Request, ...] = ()
    startup_s: float = 0.0
    waivers: tuple[Waiver, ...] = ()
    project: Project | None = None
    with_drills: bool = False
    is_online: bool = False
    written: tuple[Path, ...] = ()

    def waivers_of(self, own: Project | None) -> tuple[Waiver, ...]:
        """Those of the command line, then those of the target's own project, or else of `--project`.

        Raises:
            ProjectError: One of them is of a clause that there is not.
        """
        belongs = own or self.project
        if belongs is None:
            return self.waivers
        require_known(belongs.check.waivers, CLAUSES, belongs.root / FILE_NAME)
        return self.waivers + belongs.check.waivers


def samples(files: Sequence[Path], content_types: Sequence[str], accepts: Sequence[str]) -> tuple[Request, ...]:
    """The requests that samples make: the first file with the first media types, and so on.

    Raises:
        UsageError: There are not as many media types as files; one alone goes with every file.
    """
    if bool(files) != bool(content_types):
        raise UsageError("`--sample` and `--content-type` go together", hint="add the one that is missing")
    if accepts and not files:
        raise UsageError("`--accept` goes with a sample", hint="add --sample FILE --content-type TYPE")
    types = _each(content_types, len(files), "--content-type")
    wanted = _each(accepts or (_ANYTHING,), len(files), "--accept")
    return tuple(
        invocation(content_type, file.read_bytes(), f"sample `{file.name}`", accept=accept)
        for file, content_type, accept in zip(files, types, wanted, strict=True)
    )


def _each(given: Sequence[str], count: int, option: str) -> tuple[str, ...]:
    if len(given) == 1:
        return tuple(given) * count
    if len(given) != count:
        raise UsageError(
            f"`{option}` has to be given once, or once for each `--sample`",
            got=f"{len(given)} for {count}",
            hint=f"--sample a.csv {option} text/csv --sample b.json {option} application/json",
        )
    return tuple(given)


def report_files(given: Sequence[str]) -> tuple[tuple[Form, Path], ...]:
    """The files that reports are written to, and in which form: `html:build/report.html`.

    Raises:
        UsageError: There is no such form, or no such folder.
    """
    found: list[tuple[Form, Path]] = []
    for text in given:
        form, colon, name = text.partition(":")
        if form not in list(Form) or not colon or not name:
            raise UsageError(
                "`--report` has no form, or none that there is",
                got=f"`{text}`",
                want=f"FORM:FILE, and one of {', '.join(Form)}",
                hint=f"--report {Form.JSON}:report.json",
            )
        folder = Path(name).parent
        if not folder.is_dir():
            raise UsageError(
                "there is no folder for a report", got=f"`{folder}`", hint=f"mkdir -p {shlex.quote(str(folder))}"
            )
        found.append((Form(form), Path(name)))
    return tuple(found)


def load_waivers(file: Path | None) -> tuple[Waiver, ...]:
    """The waivers of a file of their own.

    Raises:
        ProjectError: The file is wrong, or waives a clause that there is not.
    """
    if file is None:
        return ()
    found = project.load_waivers(file)
    require_known(found, CLAUSES, file)
    return found


def find_instance_type(name: str | None) -> InstanceType | None:
    """The instance type of a name.

    Raises:
        UsageError: There is none of that name.
    """
    return None if name is None else instance_types.find(name)
