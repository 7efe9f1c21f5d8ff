"""A small account in memory, and steps that make things in it: an `Api` that can be killed after any write."""

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.errors import AwsError
from argosy.planning.polling import poll
from argosy.planning.step import Change, Consent, Kind, Outputs, Work, output, resolved

REGION = "us-east-1"


class Killed(BaseException):
    """The process is gone: nothing catches it."""


@dataclass
class World:
    """Models, and transform jobs that take a look to complete; names are there once.

    Attributes:
        things: Name -> members.
        writes: All that were done.
        killed_after: The write after which the process is gone; None for never.
    """

    things: dict[str, dict[str, Any]] = field(default_factory=dict)
    writes: list[Call] = field(default_factory=list)
    reads: int = 0
    killed_after: int | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def state(self) -> dict[str, dict[str, Any]]:
        """What is there, with no trace of when it was made."""
        return {name: dict(members) for name, members in sorted(self.things.items())}

    def credentials_fault(self) -> str | None:
        return None

    def ask(self, call: Call, absent: Collection[str] = ()) -> Any:
        with self._lock:
            self._check()
            self.reads += 1
            found = self.things.get(call.parameters["Name"])
            if found is None:
                if "Missing" in absent:
                    return None
                raise AwsError(call.action, "Missing")
            answer = dict(found)
            if found.get("Status") == "InProgress":
                found["Status"] = "Completed"
            return answer

    def pages(self, call: Call) -> Iterator[Any]:
        yield {"Names": sorted(self.things)}

    def write(self, call: Call, absent: Collection[str] = ()) -> Any:
        with self._lock:
            self._check()
            name = call.parameters["Name"]
            if call.operation.startswith("Delete"):
                self.things.pop(name)
            elif name in self.things:
                raise AwsError(call.action, "AlreadyThere")
            else:
                members = {key: value for key, value in call.parameters.items() if key != "Name"}
                status = {"Status": "InProgress"} if call.operation == "CreateTransformJob" else {}
                self.things[name] = {**members, **status, "Id": f"id-of-{name}"}
            self.writes.append(call)
            if len(self.writes) == self.killed_after:
                raise Killed
            return {"Id": f"id-of-{name}"}

    def _check(self) -> None:
        if self.killed_after is not None and len(self.writes) >= self.killed_after:
            raise Killed


def call(operation: str, **parameters: Any) -> Call:
    return Call("sagemaker", operation, REGION, parameters)


@dataclass(frozen=True)
class Thing:
    """A step: a model of some name, made of what other steps gave; or the same gone."""

    key: str
    needs: tuple[str, ...] = ()
    consent: Consent | None = None
    is_unwanted: bool = False

    def look(self, reader: Reader, known: Outputs) -> Change:
        found = reader.ask(call("DescribeModel", Name=self.key), absent=("Missing",))
        if self.is_unwanted:
            deleted = () if found is None else (call("DeleteModel", Name=self.key),)
            return Change(self.key, f"no {self.key}", Kind.DELETE if found else Kind.NOTHING, deleted)
        if found is not None:
            return Change(self.key, self.key, Kind.NOTHING, outputs={"id": found["Id"]})
        made_of = [output(known, needed, "id") for needed in self.needs]
        write = call("CreateModel", Name=self.key, Of=made_of)
        return Change(self.key, self.key, Kind.CREATE, (write,), consent=self.consent)

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        (write,) = change.writes
        answer = work.api.write(
            Call(write.service, write.operation, write.region, resolved(write.parameters, work.known))
        )
        return {} if self.is_unwanted else {"id": answer["Id"]}


@dataclass(frozen=True)
class Job:
    """A step of two writes: a thing, and a job that is waited for, after it was begun in whatever run."""

    key: str

    def look(self, reader: Reader, known: Outputs) -> Change:
        wanted = (call("CreateModel", Name=f"{self.key}-input"), call("CreateTransformJob", Name=self.key))
        there = [reader.ask(call("Describe", Name=write.parameters["Name"]), absent=("Missing",)) for write in wanted]
        missing = tuple(write for write, found in zip(wanted, there, strict=True) if found is None)
        if missing:
            return Change(self.key, self.key, Kind.CREATE, missing)
        is_over = there[1]["Status"] == "Completed"
        return Change(self.key, self.key, Kind.NOTHING if is_over else Kind.WAIT, outputs={"id": there[1]["Id"]})

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        for write in change.writes:
            work.api.write(write)
        seen = poll(
            lambda: work.api.ask(call("DescribeTransformJob", Name=self.key)),
            lambda found: found["Status"] == "Completed",
            self.key,
            60,
        )
        return {"id": seen["Id"]}


Shape = Sequence[Sequence[Sequence["Thing | Job"]]]
