from dataclasses import replace

import pytest

from argosy.conformance.check import Status
from argosy.conformance.scenes.endpoint import Health
from tests.conformance.exchanges import CALM, finding, ping_exchange


@pytest.mark.parametrize(
    ("between", "status"),
    [
        ((200, 200), Status.PASS),
        ((200, 503, 200), Status.FAIL),
        ((None,), Status.UNKNOWN),  # the container ended: that is another clause
        ((), Status.UNKNOWN),
    ],
)
def test_a_health_check_that_was_200_stays_so(between: tuple[int | None, ...], status: Status) -> None:
    scene = replace(CALM, between=tuple(map(ping_exchange, between)))
    assert finding("ping-steady", scene).status is status


@pytest.mark.parametrize(("post", "status"), [(200, Status.PASS), (405, Status.FAIL), (None, Status.FAIL)])
def test_post_is_told_apart_from_get(post: int | None, status: Status) -> None:
    scene = replace(CALM, post=ping_exchange(post))
    assert finding("ping-post", scene).status is status
    assert finding("ping", scene).status is Status.PASS


def test_a_body_of_a_health_check_is_told_and_no_fault() -> None:
    scene = Health((replace(ping_exchange(200), length=3, body=b"ok\n"),), ())
    assert finding("ping-body", scene).status is Status.FAIL
    assert finding("ping-body", scene).clause.level == "INFO"
    assert finding("ping-body", CALM).status is Status.PASS
