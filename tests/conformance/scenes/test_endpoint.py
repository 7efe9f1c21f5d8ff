import json

import pytest

from argosy.conformance.scenes.endpoint import ExecutionParameters, Invocations
from tests.conformance.exchanges import exchange


@pytest.mark.parametrize(
    ("status", "stated", "payload_mb"),
    [
        (200, {"MaxPayloadInMB": 6}, 6),
        (200, {"MaxPayloadInMB": 0}, None),  # no limit
        (200, {"MaxPayloadInMB": "6"}, None),
        (200, [6], None),
        (404, {"MaxPayloadInMB": 6}, None),
    ],
)
def test_the_largest_body_is_what_the_container_states(status: int, stated: object, payload_mb: int | None) -> None:
    assert ExecutionParameters(exchange(status, json.dumps(stated).encode())).payload_mb == payload_mb
    assert ExecutionParameters(exchange(status, b"no JSON")).payload_mb is None


def test_the_longest_of_those_that_are_understood_keeps_the_model_busy() -> None:
    quick, slow, refused = exchange(200, seconds=0.1), exchange(200, seconds=0.2), exchange(400, seconds=9.0)
    assert Invocations((quick,), (slow, refused)).longest is slow
    assert Invocations((), (refused,)).longest is refused
    assert Invocations((), (exchange(None),)).longest is None
