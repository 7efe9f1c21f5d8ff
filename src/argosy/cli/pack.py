"""`argosy pack`: the artifacts of a project as model.tar.gz."""

from pathlib import Path

import click

from argosy import model_archive
from argosy.cli import output
from argosy.cli.building import loading
from argosy.cli.main import EXIT_EXAMINED_FAILED
from argosy.contract import Level
from argosy.errors import ProjectError, UsageError
from argosy.project_file import FILE_NAME


@click.command
@click.argument("folder", metavar="[PROJECT]", type=click.Path(path_type=Path), default=".")
@click.option(
    "--output",
    "archive",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The archive. [default: PROJECT/build/model.tar.gz]",
)
def command(folder: Path, archive: Path | None) -> int:
    """Write the artifacts of a project as model.tar.gz, as SageMaker unpacks it to /opt/ml/model.

    The same files give the same bytes. Left out are __pycache__ and macOS's .DS_Store, __MACOSX and ._*; links and
    devices are refused. Prints the archive's digest. Exit code 1 when SageMaker would not take the archive.
    """
    loaded = loading.load(folder)
    if loaded.artifacts_dir is None:
        raise ProjectError(
            "the project names no artifacts",
            where=loaded.root / FILE_NAME,
            hint='name their folder under [model]: artifacts = "model/"',
        )
    if archive is not None and not archive.name.endswith(model_archive.SUFFIX):
        raise UsageError(
            "SageMaker takes no archive of that name",
            got=f"`{archive}`",
            want=f"a name that ends in {model_archive.SUFFIX}",
        )
    target = archive or loaded.root / "build" / "model.tar.gz"
    digest = model_archive.pack(loaded.artifacts_dir, target)
    faults = model_archive.lint(target).faults
    for fault in faults:
        output.say(f"{fault.level.value}: {fault.member or target}: {fault.what} ({fault.remedy})")
    output.say(f"wrote {target}, {target.stat().st_size / 1e6:,.1f} MB")
    output.print_data(digest)
    return EXIT_EXAMINED_FAILED if any(fault.level is Level.MUST for fault in faults) else 0
