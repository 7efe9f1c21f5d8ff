"""`argosy invoke`: requests to an endpoint, their answers on stdout as they come."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import click

from argosy.aws.api import AwsApi
from argosy.aws.runtime import Answer, Runtime
from argosy.cli.applying import is_policy_asked, show_plan
from argosy.cli.buying.place import REGION, region_of
from argosy.cli.output import print_json, say
from argosy.deployment.invocation import Invocation, content_type_of, now_s
from argosy.errors import ModelError, UsageError
from argosy.planning.plan import Plan

_MEMBERS: Final = {
    "accept": "Accept",
    "custom_attributes": "CustomAttributes",
    "session": "SessionId",
    "inference_id": "InferenceId",
    "target_variant": "TargetVariant",
}
_STDIN: Final = "-"


@click.command("invoke")
@click.argument("name", metavar="NAME")
@click.option("--body", "bodies", metavar="FILE|-", multiple=True, help="The body; - is stdin. May be repeated.")
@click.option("--text", metavar="TEXT", help="The body itself.")
@click.option("--content-type", metavar="TYPE", help="Media type of the body. [default: what the file's name tells]")
@click.option("--accept", metavar="TYPE", help="Media type of the answer. [default: the model's]")
@click.option("--custom-attributes", metavar="TEXT", help="At most 1024 characters for the model.")
@click.option("--session", metavar="ID", help="A stateful session: NEW_SESSION opens one, and its id is told.")
@click.option("--inference-id", metavar="ID", help="Names the invocation in the model's log and in captured data.")
@click.option("--target-variant", metavar="NAME", help="The production variant that answers.")
@click.option("--stream", "is_streamed", is_flag=True, help="Print the answer as it comes, part by part.")
@click.option("-o", "--output", "output", metavar="FILE|DIR", type=click.Path(path_type=Path),
              help="Where answers go; a folder for several bodies. [default: stdout]")  # fmt: skip
@REGION
@click.option("--json", "as_json", is_flag=True, help="Print status and headers as JSON on stdout; wants --output.")
@click.option("--plan", "plan_only", is_flag=True, help="Print the call, and do not make it.")
def command(name: str, bodies: Sequence[str], text: str | None, region: str | None, **options: Any) -> int:
    """Send requests to the endpoint NAME and print its answers, untouched.

    Each request is sent once, since each may be paid for. Status and headers go to stderr. Exit code 1 when the model
    answered an error or broke off in its answer: the container's log then follows.
    """
    if (text is None) != bool(bodies):
        raise UsageError("a request needs a body", want="either --body or --text", hint="--body FILE, or --body -")
    more = {member: options[option] for option, member in _MEMBERS.items() if options[option] is not None}
    place, output, as_json = region_of(region, name), options["output"], options["as_json"]
    asked = [
        Invocation(name, place, body, content_type_of(file, options["content_type"]), options["is_streamed"], more)
        for file, body in _bodies(bodies, text)
    ]
    if options["plan_only"] or is_policy_asked():
        show_plan(Plan(tuple(one.change() for one in asked)), as_json=as_json)
        return 0
    if as_json and output is None:
        raise UsageError("stdout cannot have both JSON and the answer", hint="--output FILE")
    targets = _targets(bodies, output)
    runtime = Runtime(place)
    told = [_invoke(runtime, one, target) for one, target in zip(asked, targets, strict=True)]
    if as_json:
        print_json(told)
    return 0


def _bodies(files: Sequence[str], text: str | None) -> Iterator[tuple[str, bytes]]:
    """The name of each file, empty for none, and what is in it."""
    if text is not None:
        yield "", text.encode()
    for file in files:
        if file == _STDIN:
            yield "", sys.stdin.buffer.read()
        else:
            yield file, _read(Path(file))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError) as error:
        hint = "--text TEXT sends text itself"
        raise UsageError("there is no such file", where=path, got=error.strerror, hint=hint) from error


def _targets(bodies: Sequence[str], output: Path | None) -> list[Path | None]:
    """Where each answer goes; None is stdout."""
    if output is None or not (len(bodies) > 1 or output.is_dir()):
        return [output] * max(1, len(bodies))
    names = [f"{Path(body).name}.out" for body in bodies]
    if len(set(names)) != len(names):
        raise UsageError("two bodies have the same name", got=", ".join(bodies), hint="send them one by one")
    output.mkdir(parents=True, exist_ok=True)
    return [output / name for name in names]


def _invoke(runtime: Runtime, asked: Invocation, target: Path | None) -> Mapping[str, object]:
    """Send one request; what came, for people on stderr."""
    call, since_s = asked.call(), now_s()
    try:
        answer = runtime.invoke(call)
        size = _write(answer, target)
    except ModelError as error:
        explained = asked.explained(error, AwsApi(), since_s)
        for line in explained.lines:
            say(f"log: {line}")
        raise explained from None
    say(f"{answer.status} {answer.headers.get('ContentType', 'no media type')}, {size} bytes")
    for name, value in answer.headers.items():
        if name != "ContentType":
            say(f"{name}: {value}")
    return {"status": answer.status, "headers": dict(answer.headers), "bytes": size, "file": target and str(target)}


def _write(answer: Answer, target: Path | None) -> int:
    """The body, each part as soon as it comes; a file has its name only when all of it has come."""
    if target is None:
        return _copy(answer, sys.stdout.buffer)
    aside = target.with_name(f".{target.name}.partial")
    try:
        with aside.open("wb") as file:
            size = _copy(answer, file)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
    return size


def _copy(answer: Answer, file: BinaryIO) -> int:
    size = 0
    for part in answer.parts:
        size += file.write(part)
        file.flush()
    return size
