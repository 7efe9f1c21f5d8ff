"""Places in S3, and the files of a folder; no key leads out of the folder that it is fetched into."""

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.deployment.batch.place import Uri, local_files, safe_path, uri
from argosy.errors import PlanError, UsageError


@pytest.mark.parametrize(
    ("text", "bucket", "key"),
    [("s3://data", "data", ""), ("s3://data/", "data", ""), ("s3://my.data/a/b/", "my.data", "a/b/")],
)
def test_a_uri(text: str, bucket: str, key: str) -> None:
    assert uri(text) == Uri(bucket, key)


@pytest.mark.parametrize("text", ["data/a", "s3://", "s3://UPPER/a", "https://data/a"])
def test_what_is_no_place_in_s3(text: str) -> None:
    with pytest.raises(UsageError, match="no place in S3"):
        uri(text)


def test_a_folder_below_a_place() -> None:
    assert str(uri("s3://data/a/").below("b", "c")) == "s3://data/a/b/c/"
    assert str(uri("s3://data").below("b")) == "s3://data/b/"


@given(st.text(st.sampled_from("ab./\0\\"), min_size=1, max_size=12))
def test_no_key_leads_out_of_the_folder(name: str) -> None:
    folder = Path("/results/here")
    try:
        path = safe_path(folder, name)
    except PlanError:
        return
    assert path != folder
    assert path.is_relative_to(folder)
    assert ".." not in PurePosixPath(path).parts


def test_files_are_named_below_their_folder_in_order(tmp_path: Path) -> None:
    (tmp_path / "z").mkdir()
    for name in ("b", "a", "z/c"):
        (tmp_path / name).write_text(name)
    assert [(file.name, file.size) for file in local_files(tmp_path)] == [("a", 1), ("b", 1), ("z/c", 3)]
    assert [file.name for file in local_files(tmp_path / "z/c")] == ["c"]


def test_no_file_is_no_input(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no file"):
        local_files(tmp_path)
    with pytest.raises(UsageError, match="is not there"):
        local_files(tmp_path / "missing")
