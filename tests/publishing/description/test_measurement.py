"""Measured over real HTTP, against a process that answers with what it is asked."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import ContainerError
from argosy.publishing.description.measurement import Invocation, Measured, measure, percentile
from argosy.simulator.connection import ENDPOINT, Connection
from argosy.simulator.health import await_ready
from tests.publishing.description.described import foreign


def measured(folder: Path, body: bytes) -> Measured:
    container = foreign(folder)

    async def run() -> Measured:
        connection = Connection(container.url, ENDPOINT)
        try:
            await await_ready(container, connection, 30, "not ready")
            return await measure(connection, Invocation({"Content-Type": "text/csv"}, body), 0.05)
        finally:
            await connection.close()

    try:
        container.start()
        return asyncio.run(run())
    finally:
        container.remove()


def test_what_is_measured_belongs_together(tmp_path: Path) -> None:
    found = measured(tmp_path, b"1,2,3")
    assert found.count >= 20
    assert 0 < found.p50_ms <= found.p99_ms
    assert found.best_rate >= found.rate > 0
    assert found.best_clients in (1, 2, 4, 8, 16, 32)
    assert (found.request_bytes, found.response_bytes) == (5, 5)


def test_an_answer_that_fails_meanwhile_ends_it(tmp_path: Path) -> None:
    with pytest.raises(ContainerError, match="not answered with success each time: got status 503"):
        measured(tmp_path, b"STATUS-503")


@given(st.lists(st.floats(0, 1e3), min_size=1), st.sampled_from([50, 99]))
def test_a_percentile_is_one_of_the_times_that_enough_do_not_exceed(times: list[float], percent: int) -> None:
    found = percentile(times, percent)
    assert found in times
    assert sum(time <= found for time in times) >= percent / 100 * len(times)
    assert sum(time < found for time in times) < percent / 100 * len(times)
