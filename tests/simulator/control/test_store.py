"""The resources on disk: what was written is read again, changes are whole, and a foreign file is refused."""

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from argosy.errors import UsageError
from argosy.simulator.control.resources import Kind, Resource
from argosy.simulator.control.store import Store
from tests.simulator.control import test_inference_components as components
from tests.simulator.control import test_model_packages as packages
from tests.simulator.control import test_transform_jobs as jobs
from tests.simulator.control.conftest import Simulated, until

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
bodies = st.dictionaries(st.text(), json_values, max_size=4)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(request_members=bodies, state=bodies, tags=st.dictionaries(st.text(), st.text(), max_size=3))
def test_what_was_written_is_read_by_the_next(
    tmp_path: Path, request_members: dict[str, object], state: dict[str, object], tags: dict[str, str]
) -> None:
    resource = Resource(Kind.ENDPOINT, "r", "Name", 1.5, 2.5, request_members, "InService", "why", state)
    store = Store(tmp_path / "state")
    store.add(resource, tags)
    store.close()
    store = Store(tmp_path / "state")
    assert store.find(Kind.ENDPOINT, "r", "nAME") == resource
    assert store.find(Kind.ENDPOINT, "other", "Name") is None
    assert store.tags(resource.arn) == tags
    store.remove(resource)
    assert store.all(Kind.ENDPOINT) == []
    assert store.tags(resource.arn) == {}
    store.close()


def test_the_state_is_for_its_owner_alone(tmp_path: Path) -> None:
    store = Store(tmp_path / "state")
    store.close()
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "state/state.sqlite3").stat().st_mode) == 0o600


def test_what_fails_in_a_transaction_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    resource = Resource(Kind.MODEL, "r", "a", 0.0, 0.0, {})
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.change(resource)
        raise ZeroDivisionError
    store.add(resource, {})
    with pytest.raises(sqlite3.IntegrityError):
        store.add(resource, {"tag": "lost"})
    assert store.tags(resource.arn) == {}
    store.close()


def test_a_transaction_that_cannot_be_committed_is_over(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store._database.execute("PRAGMA foreign_keys = ON")
    store._database.execute("CREATE TABLE a (b INTEGER PRIMARY KEY)")
    store._database.execute("CREATE TABLE c (d REFERENCES a DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY constraint failed"), store.transaction():
        store._database.execute("INSERT INTO c VALUES (1)")
    store.add(Resource(Kind.MODEL, "r", "a", 0.0, 0.0, {}), {})
    assert len(store.all(Kind.MODEL)) == 1
    store.close()


def test_the_state_of_another_version_and_a_foreign_file_are_refused(tmp_path: Path) -> None:
    Store(tmp_path).close()
    with sqlite3.connect(tmp_path / "state.sqlite3") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(UsageError, match="another version of Argosy wrote this state"):
        Store(tmp_path)
    (tmp_path / "state.sqlite3").write_bytes(b"no database" * 100)
    with pytest.raises(UsageError, match="no database of Argosy's"):
        Store(tmp_path)


@contextmanager
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A time in which no state can be changed; what is asked for anew can still be written."""

    def fail(store: Store, resource: Resource) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "change", fail)
        yield


def test_a_full_disk_delays_what_is_written_and_loses_nothing(
    simulated: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = simulated.sagemaker
    simulated.model()
    simulated.config("single")
    simulated.bucket("in", {"rows/a.csv": b"1\n"})
    components.endpoint(simulated)
    simulated.in_service()
    with full_disk(monkeypatch):
        simulated.endpoint("single", "single")
        jobs.create(simulated)
        packages.create(simulated, "Package", ValidationSpecification=packages.VALIDATION)
        components.create(simulated)
        until(lambda: sum("the state cannot be written" in line for line in simulated.reports) >= 4)
        assert client.describe_endpoint(EndpointName="single")["EndpointStatus"] == "Creating"
    assert simulated.in_service("single")["EndpointStatus"] == "InService"
    assert jobs.ended(simulated)["TransformJobStatus"] == "Completed"
    assert packages.validated(simulated, "Package")["ModelPackageStatus"] == "Completed"
    assert components.settled(simulated)["InferenceComponentStatus"] == "InService"
    client.delete_endpoint(EndpointName="single")
    until(lambda: len(client.list_endpoints()["Endpoints"]) == 1)
