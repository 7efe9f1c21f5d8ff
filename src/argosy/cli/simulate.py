"""`argosy simulate`: an endpoint that unmodified AWS clients can invoke, and transform jobs over a folder."""

import asyncio
import importlib
import json
import shlex
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from argosy.cli.output import print_data, say
from argosy.cli.simulation.interrupt import Opened, run
from argosy.cli.simulation.subject import CONTAINER, INSTANCE_TYPE, JSON, MODEL_DATA, NETWORK_WATCH, Subject
from argosy.simulator.hosting.definition import (
    DEFAULT_VARIANT,
    ContainerDefinition,
    EndpointDefinition,
    Model,
    ProductionVariant,
    endpoint_name,
)
from argosy.simulator.hosting.endpoint import Endpoint, HostingOptions
from argosy.simulator.hosting.single import SingleContainer
from argosy.simulator.runtime.service import Runtime, bind, serve

_LONGER: Final = ("aws", "transform", "up")
"""Verbs in modules of their names, `argosy.cli.simulation.VERB`."""


class _Verbs(click.Group):
    """Imports the longer verbs only when they are called: an endpoint starts sooner without them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted((*super().list_commands(ctx), *_LONGER))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _LONGER:
            return super().get_command(ctx, cmd_name)
        found: click.Command = getattr(importlib.import_module(f"argosy.cli.simulation.{cmd_name}"), cmd_name)
        return found


@click.group(cls=_Verbs)
def command() -> None:
    """Run an image or a project as SageMaker does, on this machine."""


@command.command
@click.argument("target", metavar="IMAGE|PROJECT")
@CONTAINER
@INSTANCE_TYPE
@NETWORK_WATCH
@MODEL_DATA
@click.option("--endpoint-name", metavar="NAME", help="Name of the endpoint. [default: made of the image's]")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of 127.0.0.1. [default: a free one]")
@click.option("--recut", is_flag=True, help="Cut the parts of response streams anew at random, as SageMaker may.")
@click.option("--seed", type=int, help="Makes what is random the same in each run.")
@JSON
def endpoint(target: str, as_json: bool, port: int, **options: Any) -> int:  # Any: click's values, typed by its options
    """Serve IMAGE as a SageMaker endpoint until Ctrl-C.

    Any AWS client can invoke it through its endpoint URL; errors, limits and headers are SageMaker's. Exit code 1 when
    the container does not become healthy.
    """
    subject = Subject(target, *(options[name] for name in ("kind", "model_data", "instance_type", "is_watched")))
    default = Path(target).resolve().name if Path(target).is_dir() else target.partition(":")[2]
    name = options["endpoint_name"] or endpoint_name(default)
    variant = ProductionVariant(model=Model(name, (ContainerDefinition(target),)))
    definition = EndpointDefinition(name, (variant,))
    listener = bind(port)
    with listener, subject.opener({}) as open_one:
        switches = HostingOptions(seed=options["seed"], is_recut=options["recut"])
        opened = Opened()

        def make_backend(model: Model, variant: ProductionVariant) -> SingleContainer:
            return SingleContainer(lambda: opened.add(open_one()), variant)

        served = Endpoint(definition, make_backend, say, switches)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        return run(_serve(served, listener, _announcement(name, url, as_json)), opened)


async def _serve(served: Endpoint, listener: socket.socket, announce: Callable[[], None]) -> int:
    """Start, serve until cancelled, stop. Being told to stop is the good end of an endpoint in service."""
    in_service = False
    name = served.definition.name
    try:
        say(f"Creating endpoint {name}: waiting for /ping")
        say(f"InService after {await served.start():.1f} s")
        in_service = True
        await serve(Runtime({name: served}, say), listener, asyncio.Event(), announce)
    except asyncio.CancelledError:
        if not in_service:
            raise
    finally:
        for ended in await served.stop():
            if ended.killed:
                say(f"the container did not end within {ended.seconds:.0f} s of SIGTERM and was killed")
            else:
                say(f"the container ended with exit code {ended.exit_code} after {ended.seconds:.1f} s")
    return 0


def _announcement(name: str, url: str, as_json: bool) -> Callable[[], None]:
    """Says where the endpoint is, with lines to paste."""
    body = "fileb://request.csv"
    text = f"""\
endpoint {name} at {url}

    import boto3
    runtime = boto3.client("sagemaker-runtime", endpoint_url="{url}", region_name="us-east-1",
                           aws_access_key_id="any", aws_secret_access_key="any")
    answer = runtime.invoke_endpoint(EndpointName="{name}", ContentType="text/csv", Body=open("request.csv", "rb"))
    print(answer["Body"].read())

    AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any aws sagemaker-runtime invoke-endpoint --region us-east-1 \\
        --endpoint-url {url} --endpoint-name {shlex.quote(name)} --content-type text/csv --body {body} /dev/stdout

Ctrl-C ends it."""
    as_line = json.dumps({"endpoint_name": name, "endpoint_url": url, "variant": DEFAULT_VARIANT})
    return lambda: print_data(as_line if as_json else text)
