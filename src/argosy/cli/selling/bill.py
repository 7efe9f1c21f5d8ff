"""`argosy bill`: what a buyer would pay AWS Marketplace for some requests and hours."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

from argosy.billing import bill as bills
from argosy.billing import request_file
from argosy.billing.assumptions import Assumptions, Counted
from argosy.billing.bill import Hours
from argosy.billing.document import to_json
from argosy.billing.rates import Rates
from argosy.billing.replay import RunningContainer, SimulatedEndpoint, replay
from argosy.billing.request_file import Recorded
from argosy.billing.text import to_text
from argosy.billing.usage import Usage
from argosy.cli import output
from argosy.cli.building import loading
from argosy.cli.main import EXIT_EXAMINED_FAILED
from argosy.cli.output import say
from argosy.cli.simulation.interrupt import Opened, run
from argosy.cli.simulation.subject import CONTAINER, JSON, MODEL_DATA, Subject
from argosy.errors import ProjectError, UsageError
from argosy.marketplace.model_package import recommended
from argosy.marketplace.table import Marketplace
from argosy.project import Project
from argosy.project_file import FILE_NAME
from argosy.simulator.hosting.definition import ContainerDefinition, EndpointDefinition, Model, ProductionVariant
from argosy.simulator.hosting.endpoint import Endpoint
from argosy.simulator.hosting.single import SingleContainer

_NAME = "endpoint"
_EVERY = 100
"""Requests between two lines about how far it is, where no terminal shows it."""


@dataclass(frozen=True, slots=True)
class _Asking:
    """What is sent, and to what.

    Attributes:
        subject: What answers, unless a URL is said.
        url: Of a container that runs already.
        paths: The files of requests and folders of samples.
        content_type: Of samples whose suffix tells none.
        assumptions: How answers are counted.
    """

    subject: Subject
    url: str | None
    paths: Sequence[Path]
    content_type: str | None
    assumptions: Assumptions

    def requests(self) -> Iterator[Recorded]:
        """All of them, one at a time."""
        for path in self.paths:
            yield from request_file.read(path, self.content_type)


def _hours(_context: click.Context, _option: click.Parameter, given: str | None) -> Decimal | None:
    """A number of hours, not negative."""
    try:
        found = None if given is None else Decimal(given)
    except InvalidOperation:
        found = Decimal(-1)
    if found is not None and not (found.is_finite() and 0 <= found < 10**6):
        raise click.BadParameter(f"`{given}` is no number of hours, as 720 or 0.5")
    return found


def _instances(
    _context: click.Context, _option: click.Parameter, given: tuple[str, ...]
) -> tuple[tuple[str | None, int], ...]:
    """`TYPE=N`, `TYPE` or `N`, any number of times."""
    found: list[tuple[str | None, int]] = []
    for text in given:
        parts = re.fullmatch(r"(?:(ml\.[a-z0-9.-]+)(?:=|$))?(\d{1,4})?", text)
        if not text or parts is None or text.endswith("="):
            raise click.BadParameter(f"`{text}` is not TYPE=N, as ml.m5.large=2")
        found.append((parts.group(1), int(parts.group(2) or 1)))
    return tuple(found)


@click.command
@click.argument("target", metavar="PROJECT|IMAGE")
@click.option(
    "--requests",
    "paths",
    metavar="FILE|DIR",
    type=click.Path(path_type=Path, exists=True),
    multiple=True,
    help="Requests to replay, a JSON object a line, or a folder of samples; may be given several times.",
)
@click.option("--content-type", metavar="TYPE", help="Of samples in a folder whose suffix tells no media type.")
@click.option("--url", metavar="URL", help="Ask a container that runs there instead of one of its own.")
@click.option("--hours", metavar="H", callback=_hours, help="How many hours the endpoint runs.")
@click.option(
    "--instances",
    metavar="TYPE=N",
    multiple=True,
    callback=_instances,
    help="Its instances; may be given several times. [default: one of the recommended type]",
)
@click.option("--batch-hours", metavar="H", callback=_hours, help="How many hours transform jobs run.")
@click.option(
    "--batch-instances",
    metavar="TYPE=N",
    multiple=True,
    callback=_instances,
    help="Their instances. [default: one of the recommended type]",
)
@click.option("--trial", "is_trial", is_flag=True, help="Begin with the free trial of a new subscription.")
@click.option(
    "--malformed",
    type=click.Choice([counted.value for counted in Counted]),
    default=Counted.ONE_UNIT.value,
    show_default=True,
    help="What an answer is charged as whose metering header cannot be charged: AWS does not say it.",
)
@click.option(
    "--zero",
    type=click.Choice([counted.value for counted in Counted]),
    default=Counted.NOTHING.value,
    show_default=True,
    help="What an answer with 0 units is charged as: AWS does not say it.",
)
@click.option(
    "--project",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The project of an image: its argosy.toml has the prices.",
)
@CONTAINER
@MODEL_DATA
@JSON
def command(target: str, as_json: bool, **values: Any) -> int:  # Any: click's values, typed by their options
    """Foresee what AWS Marketplace would charge for requests and hours.

    The requests are sent to a simulated endpoint of PROJECT or IMAGE, each once. Only answers with 2xx are charged: as
    many units as their header X-Amzn-Inference-Metering says, else one. Prices are those of [marketplace.pricing].
    Exit codes: 0 when every answer could be counted, 1 when a header is wrong or a count not the expected one, 2 on
    wrong usage, 3 when the container engine fails.
    """
    found = _project(target, values["folder"])
    table, where = _table(found), found.root / FILE_NAME
    rates = Rates.of(table, where)
    hours = [
        *_running(values["hours"], values["instances"], recommended(table.instances)[0], "--instances"),
        *_running(
            values["batch_hours"], values["batch_instances"], recommended(table.instances)[1], "--batch-instances"
        ),
    ]
    if not hours and not values["paths"]:
        raise UsageError("there is nothing to bill", hint=f"argosy bill {target} --requests requests.jsonl --hours 720")
    asking = _Asking(
        Subject(target, values["kind"], values["model_data"]),
        values["url"],
        values["paths"],
        values["content_type"],
        Assumptions(Counted(values["malformed"]), Counted(values["zero"])),
    )
    usage = _replayed(asking) if values["paths"] else None
    if isinstance(usage, int):
        return usage
    made = bills.make(target, rates, usage, hours, is_trial=values["is_trial"])
    output.print_data(to_json(made).decode() if as_json else to_text(made))
    return EXIT_EXAMINED_FAILED if usage is not None and usage.faults else 0


def _project(target: str, folder: Path | None) -> Project:
    """The project that has the prices."""
    if folder is None and not Path(target).is_dir():
        raise UsageError("nothing says what an image costs", where=target, hint=f"argosy bill {target} --project .")
    return loading.load(folder or Path(target))


def _table(found: Project) -> Marketplace:
    if found.marketplace is None:
        raise ProjectError(
            "there is no `[marketplace]` table, so nothing is sold",
            where=found.root / FILE_NAME,
            hint='[marketplace.pricing]\nmodel = "per-inference"\nper_inference = "0.001"',
        )
    return found.marketplace


def _running(
    duration: Decimal | None, instances: Sequence[tuple[str | None, int]], default: str | None, option: str
) -> Iterator[Hours]:
    """The instances that run for a while."""
    if duration is None:
        if instances:
            raise UsageError(
                f"`{option}` says nothing of how long they run", hint=f"--hours 720 {option} ml.m5.large=1"
            )
        return
    for name, count in instances or ((None, 1),):
        chosen = name or default
        if chosen is None:
            raise UsageError(f"`{option}` has to name an instance type", hint=f"{option} ml.m5.large=1")
        yield Hours(chosen, count, duration, is_batch=option.startswith("--batch"))


def _replayed(asking: _Asking) -> Usage | int:
    """What the requests come to; the exit code where that was interrupted."""
    opened = Opened()
    if asking.url is not None:
        return run(_of_url(asking, asking.url), opened)
    with asking.subject.opener({}) as open_one:
        return run(_of_subject(asking, lambda: opened.add(open_one())), opened)


async def _of_url(asking: _Asking, url: str) -> Usage:
    if not re.fullmatch(r"http://[^/?#\s]+/?", url):
        raise UsageError("`--url` is no URL of a container", got=f"`{url}`", want="http://127.0.0.1:8080")
    asked = RunningContainer(url.rstrip("/"))
    try:
        return await replay(asking.requests(), asked, asking.assumptions, _progress())
    finally:
        await asked.close()


async def _of_subject(asking: _Asking, open_one: Callable[[], Any]) -> Usage:  # Any: a Container
    variant = ProductionVariant(model=Model(_NAME, (ContainerDefinition(asking.subject.target),)))
    endpoint = Endpoint(EndpointDefinition(_NAME, (variant,)), lambda _, one: SingleContainer(open_one, one), say)
    try:
        say(f"InService after {await endpoint.start():.1f} s")
        return await replay(asking.requests(), SimulatedEndpoint(endpoint, say), asking.assumptions, _progress())
    finally:
        await endpoint.stop()


def _progress() -> Callable[[Usage], None]:
    """Says every hundred answers how far it is."""

    def show(usage: Usage) -> None:
        if usage.requests % _EVERY == 0:
            say(f"{usage.requests} requests, {usage.charged} charged, {usage.units} units")

    return show
