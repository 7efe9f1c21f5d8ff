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


def fail(line: str) -> None:
    raise AssertionError(line)


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
    assert list(spool.entries("demo", fail)) == [Entry(invocation, None)]


def test_entries_come_in_their_order_and_each_endpoint_has_its_own(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    kept = [made() for _ in range(5)]
    for invocation in reversed(kept):
        spool.add(invocation, b"")
    spool.add(made("other"), b"")
    outcome = Outcome("s3://b/out/1", None, None)
    spool.settle(kept[1], outcome)
    assert list(spool.entries("demo", fail)) == [Entry(one, outcome if one is kept[1] else None) for one in kept]
    assert list(spool.entries("nobody", fail)) == []


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
    assert [entry.invocation for entry in spool.entries("demo", fail)] == [invocation]
    assert [path.name for path in folder.iterdir()] == [f"{invocation.id}.invocation"]


def test_what_cannot_be_read_is_set_aside_and_keeps_nobody_from_the_others(tmp_path: Path) -> None:
    spool, first, last, other = Spool(tmp_path), made(), made(), made("other")
    folder = tmp_path / "demo"
    for invocation in (first, last, other):
        spool.add(invocation, b"x")
    spool.settle(first, Outcome(None, None, None))
    (folder / f"{first.id}.outcome").write_bytes(b"\xff{")
    (folder / "0.invocation").write_bytes(b"{}\n")
    (folder / "1.invocation").mkdir()
    (folder / "2.invocation").write_bytes((tmp_path / "other" / f"{other.id}.invocation").read_bytes())
    damaged = ["0.invocation", "1.invocation", "2.invocation", f"{first.id}.outcome"]
    reports: list[str] = []
    for _ in range(2):  # what is set aside stays so
        assert list(spool.entries("demo", reports.append)) == [Entry(first, None), Entry(last, None)]
    assert sorted(Path(line.partition(": ")[0]).name for line in reports) == sorted(damaged)
    kept = [f"{invocation.id}.invocation" for invocation in (first, last)]
    assert sorted(path.name for path in folder.iterdir()) == sorted([f"{name}.damaged" for name in damaged] + kept)


def test_an_endpoint_is_cleared_whatever_lies_there(tmp_path: Path) -> None:
    spool, invocation, other = Spool(tmp_path), made(), made("other")
    spool.add(other, b"")
    spool.clear("demo")
    spool.add(invocation, b"x")
    spool.settle(invocation, Outcome(None, None, None))
    for name in ("0.invocation", "1.outcome", "2.partial", "3.invocation.damaged", "strange"):
        (tmp_path / "demo" / name).write_bytes(b"\xff")
    (tmp_path / "demo/4.invocation").mkdir()
    spool.clear("demo")
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
    assert list(spool.entries("other", fail)) == [Entry(other, None)]


def test_a_folder_that_takes_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "demo").write_bytes(b"a file")
    with pytest.raises(StorageError, match="cannot be kept"):
        Spool(tmp_path).add(made(), b"")
