"""`argosy simulate up`: the `sagemaker` API and the runtime API on one port, for clients that know only SageMaker."""

import asyncio
import shlex
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from argosy import engine as engines
from argosy.cli import environment
from argosy.cli.containers import KINDS, PROCESS, SANDBOX, open_container
from argosy.cli.environment import Environment
from argosy.cli.output import print_data, print_json, say
from argosy.cli.simulation.interrupt import Opened, run
from argosy.cli.simulation.subject import launch_as
from argosy.cli.transfers import open_access
from argosy.errors import EngineError, InvalidReferenceError, MissingImageError, UsageError
from argosy.image import reference
from argosy.registry import transports
from argosy.simulator.backends.maker import BackendOptions
from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.hosting.definition import ContainerDefinition
from argosy.simulator.hosting.endpoint import HostingOptions
from argosy.simulator.runtime.service import bind
from argosy.simulator.simulation import Simulation, StreamsPort, World
from argosy.simulator.storage.local_folder import LocalFolder
from argosy.simulator.storage.objects import ObjectStore
from argosy.simulator.storage.s3 import S3

_PROJECT: Final = "argosy.toml"
_S3_URL: Final = "AWS_ENDPOINT_URL_S3"
_STREAMS_URL: Final = "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME_HTTP2"


def _pairs(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """`NAME=VALUE`, any number of times."""
    for pair in given:
        if not all(pair.partition("=")):
            raise click.BadParameter(f"`{pair}` is not NAME=VALUE")
    return {name: value for name, _, value in (pair.partition("=") for pair in given)}


@dataclass(frozen=True, slots=True)
class Images:
    """Finds the image that a name in a CreateModel request means.

    Attributes:
        given: Names that the user gave a meaning.
        kind: What runs containers, None to choose.
        environment: Of the command line.
    """

    given: Mapping[str, str]
    kind: str | None
    environment: Environment

    def target(self, name: str) -> str:
        """A project folder or an image reference as skopeo spells it.

        What the user said; else the name itself, where it is a project or a reference; else the engine's image of
        this very name.

        Raises:
            MissingImageError: It means nothing here.
        """
        if name in self.given:
            return self.given[name]
        if (Path(name) / _PROJECT).is_file() or _is_reference(name):
            return name
        found = self._in_engine(name)
        if found is None:
            raise MissingImageError(name, hint=f"argosy simulate up --image {shlex.quote(name)}=oci:./out")
        return found

    def open(self, definition: ContainerDefinition, launch: Launch) -> Container:
        """A container of the image that is meant, not yet started.

        Raises:
            ArgosyError: There is no such image, or this machine cannot run it.
        """
        launch = launch_as(launch, None)
        return open_container(self.target(definition.image), self.kind, launch, self.environment)

    def labels(self, name: str) -> Mapping[str, str] | None:
        """The labels of an image; None for a project, which has none yet, and where there is no image.

        Raises:
            ArgosyError: The image cannot be read.
        """
        try:
            target = self.target(name)
        except MissingImageError:
            return None
        if Path(target).is_dir():
            return None
        image = transports.read_image(target, open_access(self.environment))
        found: Mapping[str, str] = image.runtime.get("Labels") or {}
        return found

    def _in_engine(self, name: str) -> str | None:
        if self.kind in (SANDBOX, PROCESS):
            return None
        try:
            engine = engines.find(self.kind, self.environment.variables)
            if not engine.has_image(name):
                return None
        except EngineError:
            return None
        return f"{'containers-storage' if engine.is_podman else 'docker-daemon'}:{name}"


@click.command
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of 127.0.0.1. [default: a free one]")
@click.option(
    "--state",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="What was created is kept there. [default: argosy/simulator in XDG_STATE_HOME]",
)
@click.option(
    "--s3",
    "buckets",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help=f"Folder with a folder for each bucket. [default: {_S3_URL}, else s3 in the state folder]",
)
@click.option("--container", "kind", type=click.Choice(KINDS), help="What runs containers. [default: as for endpoint]")
@click.option(
    "--image",
    "images",
    metavar="NAME=REFERENCE",
    multiple=True,
    callback=_pairs,
    help="Image or project that a name in CreateModel means; may be repeated.",
)
@click.option(
    "--topic",
    "topics",
    metavar="ARN=FILE|URL",
    multiple=True,
    callback=_pairs,
    help="Who gets what an SNS topic is told of asynchronous invocations; may be repeated.",
)
@click.option(
    "--as-declared",
    is_flag=True,
    help="Limit each container to the processors, memory and disk of its InstanceType. [default: all of this machine]",
)
@click.option(
    "--separate-networks",
    is_flag=True,
    help="Give each container of a model a network of its own. [default: one for all, where their kind can]",
)
@click.option("--recut", is_flag=True, help="Cut the parts of response streams anew at random, as SageMaker may.")
@click.option("--seed", type=int, help="Makes what is random the same in each run.")
@click.option(
    "--streams-port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port of 127.0.0.1 for bidirectional streams. [default: a free one]",
)
@click.option(
    "--certificate",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Certificate with its key, as PEM: that port then speaks TLS, as AWS's own client wants it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
def up(port: int, as_json: bool, **options: Any) -> int:  # Any: click's values, typed by its options
    """Serve the whole of simulated SageMaker until Ctrl-C.

    Prints the environment in which any AWS client, SDK or notebook works with it instead of the cloud. Endpoints and
    jobs live on in the state folder: the next `up` goes on with them.
    """
    surroundings = environment.read()
    state = options["state"] or surroundings.state_dir / "simulator"
    objects = _object_store(options["buckets"], state, surroundings)
    images = Images(options["images"], options["kind"], surroundings)
    opened = Opened()

    def open_container(definition: ContainerDefinition, launch: Launch) -> Container:
        return opened.add(images.open(definition, launch))

    with bind(port) as listener:
        variables = _variables(f"http://127.0.0.1:{listener.getsockname()[1]}", surroundings.variables)
        world = World(
            *(state, objects, open_container, images.labels, say),
            subscribers=options["topics"],
            backends=BackendOptions(shares_network=not options["separate_networks"]),
            hosting=HostingOptions(seed=options["seed"], is_recut=options["recut"]),
            streams=streams_port(options["streams_port"], options["certificate"]),
            is_as_declared=options["as_declared"],
        )
        simulation = Simulation(world)
        say(f"state: {state}")
        announce = _announcement(simulation, variables, as_json)
        return run(_serve(simulation, listener, announce), opened)


async def _serve(simulation: Simulation, listener: socket.socket, announce: Callable[[], None]) -> int:
    """Serve until cancelled, which is the good end."""
    try:
        await simulation.serve(listener, asyncio.Event(), announce)
    except asyncio.CancelledError:
        say("all containers have ended; the state is kept")
    return 0


def streams_port(port: int, certificate: Path | None) -> StreamsPort:
    """Where bidirectional streams are served.

    Args:
        port: 0 takes a free one.
        certificate: With its key; None does without TLS.

    Raises:
        UsageError: The certificate cannot be used.
    """
    if certificate is None:
        return StreamsPort(port)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        tls.load_cert_chain(certificate)
    except ssl.SSLError as error:
        want = "a certificate and its key"
        raise UsageError("a certificate cannot be used", got=error, want=want, where=certificate) from error
    return StreamsPort(port, tls)


def _object_store(buckets: Path | None, state: Path, surroundings: Environment) -> ObjectStore:
    """Where `s3://` leads: the folder that was named, else the S3 that the environment names, else one of ours."""
    if buckets is not None and not buckets.is_dir():
        raise UsageError("there is no such folder", where=buckets, hint=f"mkdir -p {shlex.quote(str(buckets))}")
    url = surroundings.variables.get(_S3_URL)
    if buckets is None and url:
        say(f"s3:// is {url}")
        return S3()
    folder = buckets or state / "s3"
    state.mkdir(mode=0o700, parents=True, exist_ok=True)  # for its owner alone, as what is kept there later
    folder.mkdir(exist_ok=True)
    say(f"s3://BUCKET/KEY is {folder}/BUCKET/KEY")
    return LocalFolder(folder)


def _variables(url: str, given: Mapping[str, str]) -> dict[str, str]:
    """What a client's environment needs; credentials and a region only where it has none."""
    variables = {"AWS_ENDPOINT_URL_SAGEMAKER": url, "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": url}
    files = Path(given.get("HOME", "/")) / ".aws"
    if not any(name in given for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE")) and not (files / "credentials").exists():
        variables |= {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}
    if not any(name in given for name in ("AWS_DEFAULT_REGION", "AWS_PROFILE")) and not (files / "config").exists():
        variables["AWS_DEFAULT_REGION"] = "us-east-1"
    return variables


def _announcement(simulation: Simulation, variables: Mapping[str, str], as_json: bool) -> Callable[[], None]:
    """Says where all is, as soon as clients can connect."""

    def announce() -> None:
        known = {**variables, _STREAMS_URL: simulation.streams_url}
        if as_json:
            print_json({"environment": known})
            return
        print_data("\n".join(f"export {name}={shlex.quote(value)}" for name, value in known.items()))

    return announce


def _is_reference(name: str) -> bool:
    try:
        reference.parse(name)
    except InvalidReferenceError:
        return False
    return True
