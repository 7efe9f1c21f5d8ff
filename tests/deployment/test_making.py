"""What is made of what was made a moment ago: tried again while SageMaker does not see it, and for nothing else."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from argosy.aws.call import Call
from argosy.deployment import making
from argosy.deployment.making import make
from argosy.errors import AwsError, PlanError
from argosy.planning import polling
from tests.deployment.replies import Replies

CALL = Call("sagemaker", "CreateEndpoint", "us-east-1", {"EndpointName": "iris", "EndpointConfigName": "iris-1"})
NOT_SEEN = 'Could not find endpoint configuration "arn:aws:sagemaker:us-east-1:444455556666:endpoint-config/iris-1".'
MADE = 'Cannot create already existing endpoint "arn:aws:sagemaker:us-east-1:444455556666:endpoint/iris".'


def refused(sentence: str, code: str = "ValidationException") -> AwsError:
    return AwsError("sagemaker:CreateEndpoint", code, sentence=sentence)


@dataclass
class InTurn(Replies):
    """Answers one after the other, the last for good."""

    replies: list[Any] = field(default_factory=list)

    def write(self, call: Call, absent: Any = ()) -> Any:
        self.asked.append(call)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "_LONGEST_S", 0.01)
    monkeypatch.setattr(polling, "_FIRST_S", 0.01)


def test_what_is_not_seen_yet_is_tried_again() -> None:
    api = InTurn(replies=[refused(NOT_SEEN), refused(NOT_SEEN), {}])
    make(api, CALL)
    assert api.asked == [CALL] * 3


def test_what_a_repeated_request_finds_made_is_made() -> None:
    api = InTurn(replies=[refused(NOT_SEEN), refused(MADE)])
    make(api, CALL)
    assert len(api.asked) == 2


@pytest.mark.parametrize("error", [refused("Unknown role"), refused(NOT_SEEN, "AccessDenied"), PlanError("stopped")])
def test_every_other_refusal_is_told_at_once(error: Exception) -> None:
    api = InTurn(replies=[error])
    with pytest.raises(type(error)) as told:
        make(api, CALL)
    assert told.value is error
    assert len(api.asked) == 1


def test_what_is_never_seen_is_told_in_the_words_of_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "_LIMIT_S", 0.03)
    with pytest.raises(AwsError, match="Could not find endpoint configuration"):
        make(InTurn(replies=[refused(NOT_SEEN)]), CALL)
