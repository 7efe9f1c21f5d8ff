"""An `Api` that answers what a test says: for what no AWS of this machine does, such as having no instance left."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from argosy.aws.call import Call
from argosy.errors import AwsError


@dataclass
class Replies:
    """Operation -> its answer, its pages, or the error that it raises; what is not named is not there."""

    answers: Mapping[str, Any] = field(default_factory=dict)
    asked: list[Call] = field(default_factory=list)

    def ask(self, call: Call, absent: Collection[str] = ()) -> Any:
        self.asked.append(call)
        answer = self.answers.get(call.operation)
        if isinstance(answer, AwsError):
            raise answer
        return answer

    def pages(self, call: Call) -> Iterator[Any]:
        self.asked.append(call)
        answer = self.answers.get(call.operation, ())
        if isinstance(answer, AwsError):
            raise answer
        yield from answer

    def write(self, call: Call, absent: Collection[str] = ()) -> Any:
        return self.ask(call, absent)
