import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import StorageError, TransformError, UsageError
from argosy.simulator.storage.local_folder import LocalFolder
from argosy.simulator.storage.objects import ObjectUri
from argosy.simulator.transform.definition import Assumptions, OutputKeys
from argosy.simulator.transform.listing import InputObject, input_objects, local_objects, share
from tests.simulator.transform.conftest import definition


@pytest.fixture
def store(tmp_path: Path) -> LocalFolder:
    for key in ("in/a.csv", "in/a/b.csv", "in/ab/c.csv", "in/empty", "other/x", "in/d/deep/e"):
        path = tmp_path / "bucket" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"" if key.endswith("empty") else b"1")
    return LocalFolder(tmp_path)


def listed(store: LocalFolder, uri: str, output_keys: OutputKeys = OutputKeys.BELOW_LAST_SLASH) -> dict[str, str]:
    job = definition(S3Uri=uri, S3OutputPath="s3://results/to")
    found = input_objects(job, store, Assumptions(output_keys=output_keys), print)
    return {one.uri.key: one.output.key for one in found}


def test_faults_10_and_16_a_prefix_is_one_of_strings_and_results_repeat_what_is_below_its_last_slash(
    store: LocalFolder,
) -> None:
    assert listed(store, "s3://bucket/in/a") == {
        "in/a.csv": "to/a.csv.out", "in/a/b.csv": "to/a/b.csv.out", "in/ab/c.csv": "to/ab/c.csv.out",
    }  # fmt: skip
    assert listed(store, "s3://bucket/in/a/") == {"in/a/b.csv": "to/b.csv.out"}
    assert listed(store, "s3://bucket/in/a.csv") == {"in/a.csv": "to/a.csv.out"}
    assert "in/d/deep/e" in listed(store, "s3://bucket/in")
    assert listed(store, "s3://bucket")["other/x"] == "to/other/x.out"


def test_results_may_repeat_the_whole_key(store: LocalFolder) -> None:
    found = listed(store, "s3://bucket/in/a/", output_keys=OutputKeys.WHOLE)
    assert found == {"in/a/b.csv": "to/in/a/b.csv.out"}


def test_a_folder_s_placeholder_is_no_object(tmp_path: Path) -> None:
    class Placeholders(LocalFolder):
        def list(self, prefix):  # type: ignore[no-untyped-def]  # what S3 can list and a folder cannot
            found = list(super().list(prefix))
            return iter([type(found[0])("in/", 0, "x"), *found])

    (tmp_path / "bucket/in").mkdir(parents=True)
    (tmp_path / "bucket/in/a").write_bytes(b"1")
    told: list[str] = []
    found = input_objects(definition(S3Uri="s3://bucket/in/"), Placeholders(tmp_path), Assumptions(), told.append)
    assert [one.uri.key for one in found] == ["in/a"]
    assert told == ["bucket/in/: a folder's placeholder, not transformed"]


def test_a_manifest_names_the_objects_and_their_results(store: LocalFolder, tmp_path: Path) -> None:
    manifest = tmp_path / "bucket/list.manifest"
    manifest.write_text('[{"prefix": "s3://bucket/in/"}, "d/deep/e", "a.csv", "a.csv"]')
    job = definition(S3Uri="s3://bucket/list.manifest", S3DataType="ManifestFile")
    found = input_objects(job, store, Assumptions(), print)
    assert {one.uri.key: one.output.key for one in found} == {"in/d/deep/e": "d/deep/e.out", "in/a.csv": "a.csv.out"}


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '["a"]', '[{"prefix": "s3://bucket/"}, 1]', '[{"prefix": "s3://b/", "x": "y"}]',
             '[{"prefix": "s3://bucket/"}, {"prefix": "s3://bucket/"}]'],
)  # fmt: skip
def test_what_is_no_manifest_is_told(store: LocalFolder, tmp_path: Path, text: str) -> None:
    (tmp_path / "bucket/list").write_text(text)
    with pytest.raises(TransformError, match="the manifest is none"):
        input_objects(definition(S3Uri="s3://bucket/list", S3DataType="ManifestFile"), store, Assumptions(), print)


def test_a_manifest_with_an_object_that_is_not_there_is_told(store: LocalFolder, tmp_path: Path) -> None:
    (tmp_path / "bucket/list").write_text('[{"prefix": "s3://bucket/in/"}, "gone"]')
    with pytest.raises(StorageError, match="s3://bucket/in/gone"):
        input_objects(definition(S3Uri="s3://bucket/list", S3DataType="ManifestFile"), store, Assumptions(), print)


@given(st.integers(0, 30), st.integers(1, 9))
def test_the_instances_shares_hold_every_object_once(objects: int, instances: int) -> None:
    uri = ObjectUri("b", "k")
    everything = [InputObject(ObjectUri("b", str(number)), 1, "", uri) for number in range(objects)]
    shares = [share(everything, number, instances) for number in range(instances)]
    assert sorted((one for part in shares for one in part), key=lambda one: int(one.uri.key)) == everything
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_the_output_may_not_lie_in_the_input(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    with pytest.raises(UsageError, match="lies in the input"):
        local_objects(tmp_path, tmp_path / "out", print)


def test_an_input_without_files_is_refused(tmp_path: Path) -> None:
    for source in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(UsageError):
            local_objects(source, tmp_path.parent / "out", print)


def test_a_single_file_is_an_input(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/test.csv").write_bytes(b"1")
    folders, (found,) = local_objects(tmp_path / "in/test.csv", tmp_path / "out", print)
    assert folders == {"in": tmp_path / "in", "in-output": tmp_path / "out"}
    assert (found.name, str(found.output)) == ("in/test.csv", "s3://in-output/test.csv.out")


def test_what_is_no_object_is_reported(tmp_path: Path) -> None:
    (tmp_path / "in/sub").mkdir(parents=True)
    (tmp_path / "in/a").write_bytes(b"1")
    (tmp_path / "in/b").symlink_to("a")
    (tmp_path / "in/sub/nothing").symlink_to("gone")
    (tmp_path / "in/folder").symlink_to("sub")
    os.mkfifo(tmp_path / "in/pipe")
    told: list[str] = []
    _, found = local_objects(tmp_path / "in", tmp_path / "out", told.append)
    assert [one.uri.key for one in found] == ["a", "b"]
    assert sorted(line.removeprefix(f"{tmp_path}/in/").partition(", not")[0] for line in told) == [
        "folder: a link to a folder",
        "pipe: a pipe",
        "sub/nothing: a link to nothing",
    ]


@pytest.mark.parametrize("output", ["file", "file/below", "dangling"])
def test_an_output_that_can_be_no_folder_is_refused(tmp_path: Path, output: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a").write_bytes(b"1")
    (tmp_path / "file").write_bytes(b"mine")
    (tmp_path / "dangling").symlink_to("gone")
    with pytest.raises(UsageError, match="the output is not a folder"):
        local_objects(tmp_path / "in", tmp_path / output, print)


def test_fault_10_keys_are_sorted_as_s3_lists_them(tmp_path: Path) -> None:
    for key in ("b", "a/z", "a.csv", "ä", "B"):
        path = tmp_path / "in" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"1")
    assert [found.uri.key for found in local_objects(tmp_path / "in", tmp_path / "out", print)[1]] == [
        "B",
        "a.csv",
        "a/z",
        "b",
        "ä",
    ]
