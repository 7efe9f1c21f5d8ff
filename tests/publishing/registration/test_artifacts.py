import hashlib
import tarfile

import pytest

from argosy.aws.upload import PART_BYTES
from argosy.errors import PlanError, StorageError
from argosy.planning.step import Kind
from argosy.publishing.registration.artifacts import Artifacts
from argosy.publishing.registration.bucket import Bucket
from argosy.publishing.registration.offering import Offering
from argosy.registry.progress import SILENT
from tests.publishing.sellers import Seller

KEY = "us-east-1/artifacts"


def artifacts(offering: Offering) -> Artifacts:
    assert offering.archive is not None
    return Artifacts(offering, offering.archive, SILENT)


def stored(seller: Seller) -> bytes:
    key = f"packages/{seller.package}/model.tar.gz"
    content: bytes = seller.client("s3").get_object(Bucket=seller.bucket, Key=key)["Body"].read()
    return content


def test_the_archive_is_stored_once_under_its_checksum(seller: Seller) -> None:
    offering = seller.offering()
    stages = seller.steps(offering, Bucket(offering), artifacts(offering))
    given = seller.carry_out(stages)[KEY]
    content = stored(seller)
    assert given["sha256"] == hashlib.sha256(content).hexdigest()
    assert given["uri"] == f"s3://{seller.bucket}/packages/{seller.package}/model.tar.gz"
    with tarfile.open(offering.archive.path) as members:  # type: ignore[union-attr]  # it has one
        assert members.getnames() == ["weights.bin"]
    assert seller.last(stages).kind is Kind.NOTHING


def test_the_same_bytes_that_another_tool_stored_are_not_sent_again(seller: Seller) -> None:
    offering = seller.offering()
    seller.carry_out(seller.steps(offering, Bucket(offering)))
    step = artifacts(offering)
    body = step.archive.path.read_bytes()
    key = f"packages/{seller.package}/model.tar.gz"
    seller.client("s3").put_object(Bucket=seller.bucket, Key=key, Body=body, ChecksumAlgorithm="SHA256")
    assert seller.last(seller.steps(offering, step)).kind is Kind.NOTHING


def test_other_artifacts_are_replaced_while_no_package_is_made_of_them(seller: Seller) -> None:
    offering = seller.offering()
    first = seller.carry_out(seller.steps(offering, Bucket(offering), artifacts(offering)))[KEY]["sha256"]
    other = seller.offering(artifacts={"weights.bin": b"trained longer"})
    stages = seller.steps(other, artifacts(other))
    change = seller.last(stages)
    assert (change.kind, change.before) == (Kind.UPDATE, {"Metadata": {"sha256": first}})
    second = seller.carry_out(stages)[KEY]["sha256"]
    assert second == hashlib.sha256(stored(seller)).hexdigest() != first


def test_those_of_a_package_cannot_be_replaced(seller: Seller) -> None:
    seller.register(seller.offering())
    other = seller.offering(artifacts={"weights.bin": b"trained longer"})
    with pytest.raises(PlanError, match="which cannot be changed") as caught:
        seller.possible(seller.steps(other, artifacts(other)))
    assert "a new version" in str(caught.value.hint)


def test_an_archive_that_changes_meanwhile_is_not_stored(seller: Seller) -> None:
    offering = seller.offering()
    step = artifacts(offering)
    stages = seller.steps(offering, Bucket(offering), step)
    step.archive.path.write_bytes(b"x" * step.archive.size)
    with pytest.raises(StorageError, match="the file has changed since it was read"):
        seller.carry_out(stages)
    assert seller.last(stages).kind is Kind.CREATE


def test_a_large_archive_leaves_no_upload_begun(seller: Seller) -> None:
    noise = b"".join(hashlib.sha256(bytes([number])).digest() for number in range(64))  # gzip makes it little smaller
    weights = b"".join(hashlib.sha512(b"%d" % number).digest() for number in range(PART_BYTES // 64 + 4096)) + noise
    offering = seller.offering(artifacts={"weights.bin": weights})
    step = artifacts(offering)
    assert step.archive.size > PART_BYTES
    stages = seller.steps(offering, Bucket(offering), step)
    assert seller.last(stages).writes[0].operation == "CreateMultipartUpload"
    given = seller.carry_out(stages)[KEY]
    assert given["sha256"] == hashlib.sha256(stored(seller)).hexdigest()
    assert "Uploads" not in seller.client("s3").list_multipart_uploads(Bucket=seller.bucket)
    assert seller.last(stages).kind is Kind.NOTHING
    assert seller.journal.outputs[KEY]["upload"] == ""


def test_what_was_begun_for_a_version_that_was_given_up_is_taken_away(seller: Seller) -> None:
    offering = seller.offering()
    seller.carry_out(seller.steps(offering, Bucket(offering)))
    key = "packages/given-up/model.tar.gz"
    begun = seller.client("s3").create_multipart_upload(Bucket=seller.bucket, Key=key)["UploadId"]
    seller.journal.note(KEY, {"upload": begun, "of": "0" * 64, "at": f"s3://{seller.bucket}/{key}"})
    seller.carry_out(seller.steps(offering, artifacts(offering)))
    assert "Uploads" not in seller.client("s3").list_multipart_uploads(Bucket=seller.bucket)
    assert seller.journal.outputs[KEY]["upload"] == ""
