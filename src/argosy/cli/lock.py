"""`argosy lock`: the dependencies of a project, locked for its image."""

import shlex
from pathlib import Path

import click

from argosy.cli import environment, output
from argosy.cli.building import loading
from argosy.cli.environment import Environment
from argosy.cli.main import EXIT_EXAMINED_FAILED
from argosy.cli.transfers import open_access
from argosy.image.debian import DEBIAN
from argosy.image.debian.rootfs import PYTHON
from argosy.image.dependencies import lock, lock_file
from argosy.image.dependencies.inputs import LOCK_NAME
from argosy.image.dependencies.lock import Changes
from argosy.image.dependencies.resolver import Upgrade
from argosy.image.interpreter import find_interpreter
from argosy.project import Project
from argosy.registry import transports


@click.command
@click.argument("folder", metavar="[PROJECT]", type=click.Path(path_type=Path), default=".")
@click.option("--upgrade", "-U", is_flag=True, help="Take the newest versions that fit, instead of the locked ones.")
@click.option("--upgrade-package", "-P", "names", metavar="NAME", multiple=True, help="The same for one distribution.")
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 when the lock is not up to date.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(folder: Path, upgrade: bool, names: tuple[str, ...], check: bool, as_json: bool) -> int:
    """Lock the dependencies of a project for linux/amd64 and its image's Python, in pylock.argosy.toml.

    Prints what changed: `+ NAME VERSION`, `- NAME VERSION`, `~ NAME BEFORE -> NOW`. Locked versions are kept where they
    fit. With --check no index is asked.
    """
    around = environment.read()
    loaded = loading.load(folder)
    table = lock_file.read_table(loaded.root / LOCK_NAME)
    if check:
        known = None if table is None else lock_file.settings_of(table).get("python")
        python = loaded.image.python or known
        stale = "there is no lock" if python is None else lock.staleness(loaded, table, python)
        if as_json:
            output.print_json({"lock": str(loaded.root / LOCK_NAME), "stale": stale})
        elif stale is not None:
            output.say(f"{LOCK_NAME} is not up to date: {stale}\n\nnext: argosy lock {shlex.quote(str(folder))}")
        return 0 if stale is None else EXIT_EXAMINED_FAILED
    python = _python(loaded, around)
    changes = lock.update(loaded, python, around.variables, Upgrade(upgrade, names))
    if as_json:
        output.print_json({"lock": str(loaded.root / LOCK_NAME), "python": python, **_fields(changes)})
    else:
        lines = [f"+ {name} {version}" for name, version in changes.added.items()]
        lines += [f"- {name} {version}" for name, version in changes.removed.items()]
        lines += [f"~ {name} {before} -> {now}" for name, (before, now) in changes.changed.items()]
        if lines:
            output.print_data("\n".join(lines))
        output.say(f"wrote {loaded.root / LOCK_NAME}{'' if lines else ', with the versions that it had'}")
    return 0


def _fields(changes: Changes) -> dict[str, object]:
    return {"added": changes.added, "removed": changes.removed, "changed": changes.changed}


def _python(loaded: Project, around: Environment) -> str:
    """The image's Python: as the project says, or as its base image has it."""
    if loaded.image.python is not None:
        return loaded.image.python
    if loaded.image.base == DEBIAN:
        return PYTHON
    access = open_access(around)
    return find_interpreter(transports.read_image(loaded.image.base, access), None, around.cache_dir).version
