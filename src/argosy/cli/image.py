"""`argosy image`: look at an image, compare two, convert one."""

import re
from typing import Final

import click

from argosy.cli import environment, output
from argosy.cli.main import EXIT_EXAMINED_FAILED
from argosy.cli.transfers import open_access
from argosy.image.image import Image
from argosy.image.inspection import diff as comparison
from argosy.image.inspection import show as view
from argosy.image.inspection import text
from argosy.image.materials.signs import is_secret_name, secret_assignments, secret_in
from argosy.registry import conversion, transports
from argosy.registry.transports import Access

_SECRET_WORDS: Final = re.compile(r"(?i)(^|[_-])(token|secret|pass(word|wd|phrase)?|credentials?|auth)($|[_-])")
"""More names than those that are a finding of a check: what is hidden in vain does no harm."""


@click.group("image")
def command() -> None:
    """Show an image, compare two, or convert one into what SageMaker takes."""


@command.command
@click.argument("source")
@click.argument("target")
def convert(source: str, target: str) -> None:
    """Store SOURCE at TARGET as SageMaker takes it: linux/amd64 alone, Docker's schema 2, gzip layers.

    An index, attestations, OCI media types, layers that are uncompressed or compressed with zstd: all is mended and
    told, and what is right already keeps its bytes. TARGET may be SOURCE. Within a registry only what changed is sent.
    Prints the digest of the manifest.
    """
    with output.step(f"convert {source}"):
        found = conversion.convert_image(source, target, _access())
    for change in found.changes:
        output.say(change)
    output.say(f"wrote {target}" if found.is_written else f"nothing to do: {target} is what SageMaker takes")
    output.print_data(found.image.digest)


@command.command
@click.argument("image")
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
def show(image: str, as_json: bool) -> None:
    """Tell what is in IMAGE: layers, what is biggest in each and why, what later layers hide, how it is started.

    Values of variables, labels and build steps that seem to be secrets are hidden.
    """
    with output.step(f"read {image}"):
        found = view.show(_read(image), _is_secret)
    if as_json:
        output.print_json(found)
    else:
        output.print_data(text.image_text(found))


@command.command
@click.argument("before")
@click.argument("after")
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
@click.option("--all", "every_file", is_flag=True, help="Every file, not only the first few.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 when there is a difference.")
def diff(before: str, after: str, as_json: bool, every_file: bool, exit_code: bool) -> int:
    """Tell in what the images BEFORE and AFTER differ: settings, packages, files.

    Values of variables and labels that seem to be secrets are hidden.
    """
    with output.step(f"compare {before} and {after}"):
        found = comparison.diff(_read(before), _read(after), _is_secret)
    if as_json:
        output.print_json(found)
    else:
        output.print_data(text.difference_text(found, every_file=every_file))
    return EXIT_EXAMINED_FAILED if exit_code and not found.is_empty else 0


def _read(name: str) -> Image:
    return transports.read_image(name, _access())


def _access() -> Access:
    around = environment.read()
    return open_access(around)


def _is_secret(name: str, value: str) -> bool:
    is_named = is_secret_name(name) or _SECRET_WORDS.search(name) is not None
    return is_named or secret_in(value) is not None or any(secret_assignments(value))
