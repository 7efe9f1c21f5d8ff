import pytest

from argosy.conformance.check import Status
from argosy.conformance.scenes.log import Logged
from tests.conformance.exchanges import exchange, finding

REFUSED = (exchange(400), exchange(415))


@pytest.mark.parametrize(
    ("scene", "status"),
    [
        (Logged("w", REFUSED, ("POST /invocations 400",), ()), Status.PASS),
        (Logged("w", REFUSED, (), ()), Status.FAIL),
        (Logged("w", (exchange(200),), (), ()), Status.UNKNOWN),
    ],
)
def test_an_error_leaves_a_line(scene: Logged, status: Status) -> None:
    assert finding("log-errors", scene).status is status


@pytest.mark.parametrize(
    ("scene", "status"),
    [
        (Logged("w", REFUSED, ("400",), ()), Status.PASS),
        (Logged("w", REFUSED, ("400",), ("cannot read w",)), Status.FAIL),
        (Logged("w", (exchange(None),), (), ()), Status.UNKNOWN),
    ],
)
def test_the_log_quotes_no_body(scene: Logged, status: Status) -> None:
    assert finding("log-bodies", scene).status is status
