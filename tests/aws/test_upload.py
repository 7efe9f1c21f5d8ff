import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.aws.api import AwsApi
from argosy.aws.call import Call
from argosy.aws.upload import PART_BYTES, LocalFile, State, Upload
from argosy.testing.local_aws import LocalAwsServer
from argosy.testing.local_aws import local_aws as serving

REGION = "us-east-1"


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAwsServer]:
    with serving() as found:
        found.client("s3").create_bucket(Bucket="files")
        yield found


@pytest.fixture
def api(aws: LocalAwsServer, monkeypatch: pytest.MonkeyPatch) -> AwsApi:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    return AwsApi()


def a_file(folder: Path, size: int) -> LocalFile:
    block = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(512))
    path = folder / "file"
    path.write_bytes((block * (size // len(block) + 1))[:size])
    return LocalFile.read(path, "file")


class Counting:
    """An api that counts parts, and gives up before one of them."""

    def __init__(self, api: AwsApi, fails_at: int = 0) -> None:
        self._api = api
        self._fails_at = fails_at
        self.parts: list[int] = []
        self.ask, self.pages = api.ask, api.pages

    def write(self, call: Call, absent: tuple[str, ...] = ()) -> object:
        if call.operation == "UploadPart":
            if call.parameters["PartNumber"] == self._fails_at:
                raise ConnectionAbortedError
            self.parts.append(call.parameters["PartNumber"])
        return self._api.write(call, absent)


def sent(upload: Upload, api: object, begun: str = "") -> tuple[str, int]:
    """The id of the upload in parts that was begun, and the bytes that are stored."""
    ids: list[str] = []
    counted: list[int] = []
    upload.send(api, begun, ids.append, counted.append)  # type: ignore[arg-type]  # an Api
    return (ids[0] if ids else ""), sum(counted)


@pytest.mark.parametrize("size", [0, 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES + 7])
def test_what_is_stored_is_the_file_with_its_checksum(
    aws: LocalAwsServer, api: AwsApi, tmp_path: Path, size: int
) -> None:
    upload = Upload(a_file(tmp_path, size), REGION, "files", f"size-{size}")
    assert upload.state(api) == (State.ABSENT, "")
    assert sent(upload, api)[1] == size
    assert upload.state(api) == (State.SAME, upload.file.sha256)
    stored = aws.client("s3").get_object(Bucket="files", Key=upload.key)["Body"].read()
    assert hashlib.sha256(stored).hexdigest() == upload.file.sha256
    other = Upload(LocalFile(upload.file.path, "file", size, "0" * 64), REGION, "files", upload.key)
    assert other.state(api) == (State.OTHER, upload.file.sha256)


def test_the_parts_that_a_killed_run_stored_are_not_sent_again(
    aws: LocalAwsServer, api: AwsApi, tmp_path: Path
) -> None:
    upload = Upload(a_file(tmp_path, 2 * PART_BYTES + 7), REGION, "files", "resumed")
    ids: list[str] = []
    with pytest.raises(ConnectionAbortedError):
        upload.send(Counting(api, fails_at=3), "", ids.append, lambda _: None)  # type: ignore[arg-type]  # an Api
    again = Counting(api)
    assert sent(upload, again, ids[0]) == ("", upload.file.size)
    assert again.parts == [3]
    assert upload.state(api)[0] is State.SAME
    assert "Uploads" not in aws.client("s3").list_multipart_uploads(Bucket="files")


def test_uploads_that_nobody_goes_on_with_are_taken_away(aws: LocalAwsServer, api: AwsApi, tmp_path: Path) -> None:
    upload = Upload(a_file(tmp_path, PART_BYTES + 1), REGION, "files", "left")
    s3 = aws.client("s3")
    for _ in range(2):
        s3.create_multipart_upload(Bucket="files", Key="left")
    another = s3.create_multipart_upload(Bucket="files", Key="left-by-another")["UploadId"]
    sent(upload, api)
    assert [one["UploadId"] for one in s3.list_multipart_uploads(Bucket="files")["Uploads"]] == [another]
    s3.abort_multipart_upload(Bucket="files", Key="left-by-another", UploadId=another)


def test_the_size_of_parts_is_one_that_ten_thousand_suffice_for() -> None:
    for size in (PART_BYTES + 1, 10_000 * PART_BYTES, 10_000 * PART_BYTES + 1, 5 * 2**40):
        part = Upload(LocalFile(Path("x"), "x", size, ""), REGION, "b", "k").part_bytes
        assert part % PART_BYTES == 0
        assert -(-size // part) <= 10_000
