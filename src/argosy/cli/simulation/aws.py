"""`argosy simulate aws`: a seller's and a buyer's AWS on one port, for a first try and for tests in any language."""

import asyncio
import shlex
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from argosy.cli import environment
from argosy.cli.containers import SANDBOX, open_container
from argosy.cli.output import print_data, print_json, say
from argosy.cli.simulation.interrupt import Opened, run
from argosy.cli.simulation.subject import launch_as
from argosy.engine import PROGRAMS
from argosy.errors import UsageError
from argosy.image.image import Image
from argosy.local_aws.accounts import BUYER, EXECUTION_ROLE, INGESTION_ROLE, SELLER, VALIDATION_ROLE, environment_of
from argosy.local_aws.service import OpenImage
from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.health import Report
from argosy.simulator.runtime.service import bind

if TYPE_CHECKING:
    from argosy.local_aws.cloud import LocalAws

_OTHERS: Final = ("AWS_PROFILE", "AWS_SESSION_TOKEN")
"""Variables that would have clients be somebody else."""


@click.command
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of 127.0.0.1. [default: a free one]")
@click.option(
    "--state",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Everything is kept there for the next time. [default: nothing is kept]",
)
@click.option(
    "--container",
    "kind",
    type=click.Choice((*PROGRAMS, SANDBOX)),
    help="What runs images. [default: Docker, else Podman, else a sandbox]",
)
@click.option(
    "--as-declared",
    is_flag=True,
    help="Limit each container to the processors, memory and disk of its InstanceType. [default: all of this machine]",
)
@click.option("--buyer", "is_buyer", is_flag=True, help="Print the buyer's environment, not the seller's.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
def aws(port: int, state: Path | None, kind: str | None, as_declared: bool, is_buyer: bool, as_json: bool) -> int:
    """Serve AWS on this machine until Ctrl-C: STS, IAM, S3, ECR, SageMaker, CloudWatch Logs and AWS Marketplace.

    Prints the environment in which any AWS client works with it instead of the cloud. There are two accounts, a seller
    and a buyer, and the roles that they need. Images that are pushed are really run.
    """
    opened = Opened()
    around = environment.read()

    def open_image(image: Image, name: str, launch: Launch) -> Container:
        return opened.add(open_container(f"docker://{name}", kind, launch_as(launch, None), around, image))

    with bind(port) as listener, _folder(state) as folder:
        cloud = open_cloud(folder, open_image, say, is_kept=state is not None, is_as_declared=as_declared)
        announce = _announcement(f"http://127.0.0.1:{listener.getsockname()[1]}", is_buyer, as_json)
        return run(_serve(cloud, listener, announce), opened)


async def _serve(cloud: "LocalAws", listener: socket.socket, announce: Callable[[], None]) -> int:
    """Serve until cancelled, which is the good end."""
    try:
        await cloud.serve(listener, asyncio.Event(), announce)
    except asyncio.CancelledError:
        say("all containers have ended")
    return 0


def open_cloud(
    folder: Path, open_image: OpenImage, report: Report, *, is_kept: bool, is_as_declared: bool = False
) -> "LocalAws":
    """A local AWS that is not yet served.

    Args:
        folder: Where it keeps everything.
        open_image: Makes containers.
        report: Takes what a person should know, one line each.
        is_kept: Whether there will be another one with this folder.
        is_as_declared: Whether containers are limited to what their instance type has.

    Raises:
        UsageError: moto is not installed.
    """
    try:
        from argosy.local_aws.cloud import LocalAws, Surroundings
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "argosy":
            raise
        raise UsageError(
            f"the local AWS needs moto with its server, and `{error.name}` is not installed",
            hint="pip install 'argosy[toolkit,local-aws]'",
        ) from error
    return LocalAws(Surroundings(folder, open_image, report, is_kept, is_as_declared=is_as_declared))


@contextmanager
def _folder(state: Path | None) -> Iterator[Path]:
    if state is not None:
        yield state
        return
    with tempfile.TemporaryDirectory(prefix="argosy-aws-") as made:
        yield Path(made)


def _announcement(url: str, is_buyer: bool, as_json: bool) -> Callable[[], None]:
    """Says where all is, as soon as clients can connect."""
    roles = {"validation": VALIDATION_ROLE.arn, "ingestion": INGESTION_ROLE.arn, "execution": EXECUTION_ROLE.arn}
    chosen, other = (BUYER, SELLER) if is_buyer else (SELLER, BUYER)

    def announce() -> None:
        if as_json:
            accounts = {
                account.name: {"account": account.number, "environment": environment_of(account, url)}
                for account in (SELLER, BUYER)
            }
            print_json({"environment": environment_of(chosen, url), "accounts": accounts, "roles": roles})
            return
        other_keys = {name: value for name, value in environment_of(other, url).items() if "KEY" in name}
        lines = [
            f"# the {chosen.name}, account {chosen.number}",
            *_exports(environment_of(chosen, url)),
            f"unset {' '.join(_OTHERS)}",
            f"# to become the {other.name}, account {other.number}:",
            *(f"#   {line}" for line in _exports(other_keys)),
            "# roles:",
            *(f"#   {name:<11}{arn}" for name, arn in roles.items()),
        ]
        print_data("\n".join(lines))

    return announce


def _exports(variables: dict[str, str]) -> list[str]:
    return [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
