import pytest

from argosy.conformance.check import Status
from argosy.conformance.scenes.endpoint import Start
from tests.conformance.exchanges import finding, ping_exchange


@pytest.mark.parametrize(
    ("healthy_s", "status"), [(0.5, Status.PASS), (240.0, Status.PASS), (240.5, Status.FAIL), (479.0, Status.FAIL)]
)
def test_a_start_of_more_than_four_minutes_is_late_for_other_machines(healthy_s: float, status: Status) -> None:
    start = Start(limit_s=480.0, accepted_s=0.1, healthy_s=healthy_s, pings=(ping_exchange(503), ping_exchange(200)))
    assert finding("start-healthy", start).status is Status.PASS
    assert finding("start-soon", start).status is status


@pytest.mark.parametrize(
    ("accepted_s", "pings", "status"),
    [
        (0.1, (200,), Status.PASS),
        (30.0, (None, 200), Status.FAIL),
        (30.0, (None, 503, 200), Status.PASS),  # the container was slow to start, not the model
    ],
)
def test_a_port_that_opens_with_the_model_is_told(
    accepted_s: float, pings: tuple[int | None, ...], status: Status
) -> None:
    start = Start(limit_s=480.0, accepted_s=accepted_s, healthy_s=31.0, pings=tuple(map(ping_exchange, pings)))
    assert finding("start-port-early", start).status is status
