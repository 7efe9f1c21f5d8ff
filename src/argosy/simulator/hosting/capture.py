"""Data capture: what went into an endpoint and what came out, written aside as the service writes it.

An invocation only leaves its bytes here; a task writes them in the background, a file for each variant and hour.

Source:
    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html (read 2026-11-22).
"""

import asyncio
import base64
import json
import random
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from argosy import contract
from argosy.errors import StorageError
from argosy.simulator.health import Report
from argosy.simulator.hosting.backend import Request
from argosy.simulator.hosting.definition import Capture
from argosy.simulator.storage.objects import ObjectStore, ObjectUri

_WAITING_BYTES: Final = 2**28  # the service stops, too, when its disk fills


@dataclass(frozen=True, slots=True)
class Observation:
    """One invocation with its answer.

    Attributes:
        variant: Name of the variant that answered.
        request: What went in.
        content_type: Of the answer, as the container said it; None when it did not.
        body: The answer's.
        time: When it was answered.
    """

    variant: str
    request: Request
    content_type: str | None
    body: bytes
    time: datetime


class Recorder:
    """The capture of one endpoint.

    UNSURE: how often the service begins a file; here it is a parameter.

    Args:
        capture: What is captured, and where to.
        store: Has the destination.
        report: Takes what a person should know.
        chance: Draws the sample.
        flush_s: How long an observation waits at most until it is written.
    """

    def __init__(
        self, capture: Capture, store: ObjectStore, report: Report, chance: random.Random, flush_s: float
    ) -> None:
        self._capture = capture
        self._store = store
        self._report = report
        self._chance = chance
        self._flush_s = flush_s
        self._waiting: list[Observation] = []
        self._waiting_bytes = 0
        self._writing: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def observe(self, variant: str, request: Request, content_type: str | None, body: bytes) -> None:
        """Keep an invocation and its answer for the file, if the sample takes it."""
        if self._chance.random() * 100 >= self._capture.sampling_percentage:
            return
        size = len(request.body) + len(body)
        if self._waiting_bytes + size > _WAITING_BYTES:
            self._report("data capture: invocations come faster than they can be written; this one is left out")
            return
        self._waiting_bytes += size
        self._waiting.append(Observation(variant, request, content_type, body, datetime.now(UTC)))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_later())

    async def close(self) -> None:
        """Write what waits, and wait until that is done."""
        self._closing.set()
        if self._writing is not None:
            await self._writing

    async def _write_later(self) -> None:
        """Write until nothing waits any more."""
        while self._waiting:
            try:
                async with asyncio.timeout(self._flush_s):
                    await self._closing.wait()
            except TimeoutError:
                pass
            observations, self._waiting = self._waiting, []
            try:
                await asyncio.to_thread(self._write, observations)
            except (StorageError, OSError) as error:
                self._report(f"data capture: {len(observations)} invocations are lost: {error}")
            self._waiting_bytes = sum(len(one.request.body) + len(one.body) for one in self._waiting)
        self._writing = None

    def _write(self, observations: Sequence[Observation]) -> None:
        files: dict[str, list[Observation]] = defaultdict(list)
        for one in observations:
            files[f"{one.request.endpoint}/{one.variant}/{one.time:%Y/%m/%d/%H}"].append(one)
        for folder, held in files.items():
            moment = held[0].time
            name = f"{moment:%M-%S}-{moment.microsecond // 1000:03}-{uuid.uuid4()}.jsonl"
            upload = self._store.create(ObjectUri.parse(self._capture.destination).child(f"{folder}/{name}"))
            try:
                for one in held:
                    upload.stream.write(record(self._capture, one))
                upload.finish()
            finally:
                upload.discard()


def record(capture: Capture, observation: Observation) -> bytes:
    """One line of a capture file."""
    request = observation.request
    captured: dict[str, object] = {}
    if capture.is_input:
        captured["endpointInput"] = _side(capture, "INPUT", request.headers.get("content-type"), request.body)
    if capture.is_output:
        captured["endpointOutput"] = _side(capture, "OUTPUT", observation.content_type, observation.body)
    metadata: dict[str, object] = {"eventId": str(uuid.uuid4())}
    inference_id = request.headers.get(contract.HEADER_INFERENCE_ID.lower())
    if inference_id is not None:
        metadata["inferenceId"] = inference_id
    attributes = request.headers.get(contract.HEADER_CUSTOM_ATTRIBUTES.lower())
    if attributes is not None:
        metadata["customAttributes"] = [attributes]
    metadata["inferenceTime"] = f"{observation.time:%Y-%m-%dT%H:%M:%SZ}"
    line = {"captureData": captured, "eventMetadata": metadata, "eventVersion": "0"}
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def _side(capture: Capture, mode: str, content_type: str | None, body: bytes) -> dict[str, str | None]:
    """One side of a record. What is no UTF-8 goes as base64, whatever its media type promised."""
    media_type = (content_type or "").partition(";")[0].strip().lower()
    encoding = "BASE64"
    if media_type in (one.lower() for one in capture.csv_content_types):
        encoding = "CSV"
    elif media_type in (one.lower() for one in capture.json_content_types):
        encoding = "JSON"
    data = base64.b64encode(body).decode()
    if encoding != "BASE64":
        try:
            data = body.decode()
        except UnicodeDecodeError:
            encoding = "BASE64"
    return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}
