import orjson
import pytest

from argosy import errors
from argosy.errors import InvocationError
from argosy.serving.answers import STATUS, error_answer


def test_every_error_of_an_invocation_has_its_status_and_none_is_2xx() -> None:
    assert set(STATUS) == set(InvocationError.__subclasses__())
    assert all(status >= 400 for status in STATUS.values())


@pytest.mark.parametrize("error", [errors.DecodeError("not JSON", got="3 bytes"), errors.OverloadedError("full")])
def test_an_answer_carries_code_sentence_and_inference_id(error: InvocationError) -> None:
    status, body = error_answer(error, "id-7")
    assert status == STATUS[type(error)]
    assert orjson.loads(body) == {
        "error": {"code": error.code, "message": error.message, "inference_id": "id-7"},
    }
