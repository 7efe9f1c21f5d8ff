"""What was accepted, kept in a folder."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import StorageError
from argosy.simulator.hosting.definition import AsyncInference
from argosy.simulator.runtime import async_request
from argosy.simulator.runtime.async_request import AsyncInvocation
from argosy.simulator.runtime.async_spool import Entry, Outcome, Spool


def made(endpoint: str = "demo") -> AsyncInvocation:
    headers = {"x-amzn-sagemaker-content-type": "text/csv"}
    return async_request.invocation(endpoint, AsyncInference("s3://b/out"), headers, "us-east-1", "-error.out")


@given(body=st.binary(max_size=200))
def test_a_body_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    spool, invocation = Spool(tmp_path_factory.mktemp("spool")), made()
    spool.add(invocation, body)
    with spool.body(invocation) as file:
        assert file.read() == body
    assert spool.body_bytes(invocation) == len(body)
    assert list(spool.entries("demo")) == [Entry(invocation, None)]


def test_entries_come_in_their_order_and_each_endpoint_has_its_own(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    kept = [made() for _ in range(5)]
    for invocation in reversed(kept):
        spool.add(invocation, b"")
    spool.add(made("other"), b"")
    outcome = Outcome("s3://b/out/1", None, None)
    spool.settle(kept[1], outcome)
    assert list(spool.entries("demo")) == [Entry(one, outcome if one is kept[1] else None) for one in kept]
    assert list(spool.entries("nobody")) == []


def test_what_is_removed_leaves_nothing(tmp_path: Path) -> None:
    spool, invocation = Spool(tmp_path), made()
    spool.add(invocation, b"x")
    spool.settle(invocation, Outcome(None, None, None))
    spool.remove(invocation)
    assert list(tmp_path.iterdir()) == []


def test_what_a_sudden_end_left_half_done_is_swept_away(tmp_path: Path) -> None:
    spool, invocation = Spool(tmp_path), made()
    spool.add(invocation, b"")
    folder = tmp_path / "demo"
    (folder / "1-x.partial").write_bytes(b"{")
    (folder / "1-y.outcome").write_bytes(b"{}")
    assert [entry.invocation for entry in spool.entries("demo")] == [invocation]
    assert [path.name for path in folder.iterdir()] == [f"{invocation.id}.invocation"]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo/1.invocation").write_bytes(b"{}\n")
    with pytest.raises(StorageError, match="damaged") as error:
        list(Spool(tmp_path).entries("demo"))
    assert "1.invocation" in str(error.value)


def test_a_folder_that_takes_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "demo").write_bytes(b"a file")
    with pytest.raises(StorageError, match="cannot be kept"):
        Spool(tmp_path).add(made(), b"")
