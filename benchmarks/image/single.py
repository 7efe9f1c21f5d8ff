"""Rows that are no race: size, bytes sent, start-up with and without bytecode, memory."""

import json
import statistics
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from benchmarks.image import containers, contestants, projects, rows
from benchmarks.image.commands import FailedError, peak_mb, run, say
from benchmarks.image.contestants import Argosy, Place
from benchmarks.image.relay import relay
from benchmarks.image.rows import Row

FIGURES = dict[str, dict[str, float]]
"""Contestant or variant -> measure -> figure."""

_GIGABYTES: Final = 10
_SCHEMA_2: Final = "application/vnd.docker.distribution.manifest.v2+json"


def size(row: Row, place: Place, _: int) -> FIGURES:
    """Megabytes in the registry and unpacked; each image answers the same to the same request."""
    found: FIGURES = {}
    answers: dict[str, bytes] = {}
    for name in (rows.ARGOSY, rows.DOCKER, rows.PLAIN):
        target = place.target(f"{row.id}-{name}")
        contestants.made(name, row.project, replace(place, scratch=place.scratch / "size")).build(target, cold=True)
        run(["docker", "pull", "--quiet", target])
        unpacked = float(run(["docker", "image", "inspect", "--format", "{{.Size}}", target])) / 1e6
        found[name] = {rows.STORED: _stored_mb(target), rows.UNPACKED: unpacked}
        answers[name] = containers.answer(target, projects.body(row.project))
        run(["docker", "image", "rm", target])
    if len(set(answers.values())) != 1:
        raise FailedError(f"the images answer differently: {answers}")
    return found


def sent(row: Row, place: Place, rounds: int) -> FIGURES:
    """Kilobytes that go to the registry after a change, everything counted: headers, config, manifest."""
    with relay(place.registry) as counted:
        base = place.base.replace(place.registry, counted.address)
        through = replace(place, registry=counted.address, base=base, scratch=place.scratch / "sent")
        ours = contestants.made(rows.ARGOSY, row.project, through)
        target = through.target(row.id)
        ours.build(target, cold=True)
        taken = []
        for _ in range(rounds):
            projects.change_predictor(ours.source)
            before = counted.sent
            ours.build(target, cold=False)
            taken.append((counted.sent - before) / 1000)
    return {rows.ARGOSY: {rows.SENT: statistics.median(taken)}}


def start(row: Row, place: Place, rounds: int) -> FIGURES:
    """Seconds until a new container serves, with and without bytecode in the image, in turns."""
    images: dict[str, str] = {}
    stored: dict[str, float] = {}
    for variant in ("source only", "bytecode"):
        scratch = place.scratch / f"start-{variant.partition(' ')[0]}"
        ours = contestants.made(rows.ARGOSY, row.project, replace(place, scratch=scratch))
        assert isinstance(ours, Argosy)
        if variant == "bytecode":
            projects.want_bytecode(ours.source)
        target = place.target(row.id, variant.partition(" ")[0])
        ours.build(target, cold=True)
        run(["docker", "pull", "--quiet", target])
        images[variant], stored[variant] = target, _stored_mb(target)
    taken: dict[str, list[float]] = {variant: [] for variant in images}
    for number in range(-1, rounds):
        for variant in list(images) if number % 2 else list(images)[::-1]:
            with containers.container(images[variant]) as (_, took):
                taken[variant] += [took] if number >= 0 else []  # the first fills the system's cache of files
    for target in images.values():
        run(["docker", "image", "rm", target])
    return {
        variant: {rows.SECONDS: statistics.median(times), rows.STORED: stored[variant]}
        for variant, times in taken.items()
    }


def memory(row: Row, place: Place, _: int) -> FIGURES:
    """Peak memory of a build and push whose artifacts are large."""
    ours = contestants.made(rows.ARGOSY, row.project, replace(place, scratch=place.scratch / "memory"))
    assert isinstance(ours, Argosy)
    say(f"writing {_GIGABYTES} GB")
    projects.add_artifacts(ours.source, _GIGABYTES)
    target = place.target(row.id)
    return {rows.ARGOSY: {rows.PEAK: peak_mb(ours.command(target), ours.environ)}}


def _stored_mb(target: str) -> float:
    """Bytes of all layers as the registry has them, in megabytes."""
    host, _, rest = target.partition("/")
    repository, _, tag = rest.rpartition(":")
    asked = urllib.request.Request(f"http://{host}/v2/{repository}/manifests/{tag}", headers={"Accept": _SCHEMA_2})
    with urllib.request.urlopen(asked, timeout=10) as response:
        manifest: dict[str, Any] = json.load(response)
    return float(sum(layer["size"] for layer in manifest["layers"])) / 1e6


WORK: Final[dict[str, Callable[[Row, Place, int], FIGURES]]] = {
    "size": size,
    "sent": sent,
    "start": start,
    "memory": memory,
}
