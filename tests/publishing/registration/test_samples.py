from argosy.planning.step import Kind, Risk
from argosy.publishing.registration.bucket import Bucket
from argosy.publishing.registration.offering import Offering
from argosy.publishing.registration.samples import Samples
from argosy.registry.progress import SILENT
from tests.publishing.sellers import Seller


def keys(seller: Seller) -> set[str]:
    prefix = f"packages/{seller.package}/validation/in/"
    found = seller.client("s3").list_objects_v2(Bucket=seller.bucket, Prefix=prefix).get("Contents", [])
    return {one["Key"].removeprefix(prefix) for one in found}


def samples(offering: Offering) -> Samples:
    return Samples(offering, SILENT)


def test_the_samples_are_stored_as_they_lie_in_their_folder(seller: Seller) -> None:
    offering = seller.offering()
    stages = seller.steps(offering, Bucket(offering), samples(offering))
    assert seller.last(stages).kind is Kind.CREATE
    given = seller.carry_out(stages)["us-east-1/samples"]
    assert given == {"uri": f"s3://{seller.bucket}/packages/{seller.package}/validation/in/"}
    assert keys(seller) == {"one.csv", "more/two.csv"}
    assert seller.last(stages).kind is Kind.NOTHING


def test_only_what_differs_is_sent_and_what_is_no_sample_is_deleted_on_a_word(seller: Seller) -> None:
    offering = seller.offering()
    seller.carry_out(seller.steps(offering, Bucket(offering), samples(offering)))
    (seller.folder / "project/samples/one.csv").unlink()
    other = seller.offering(samples={"more/two.csv": b"7,8,9\n"})
    (seller.folder / "project/samples/one.csv").unlink(missing_ok=True)
    stages = seller.steps(other, samples(other))
    change = seller.last(stages)
    assert [call.operation for call in change.writes] == ["PutObject", "DeleteObject"]
    assert change.consent is not None
    assert change.consent.risk is Risk.LOSS
    assert f"s3://{seller.bucket}/packages/{seller.package}/validation/in/one.csv" in change.consent.sentence
    seller.carry_out(stages)
    assert keys(seller) == {"more/two.csv"}
    assert seller.last(stages).kind is Kind.NOTHING


def test_those_of_a_package_stay(seller: Seller) -> None:
    seller.register(seller.offering())
    other = seller.offering(samples={"one.csv": b"3,2,1\n"})
    change = seller.last(seller.steps(other, samples(other)))
    assert change.kind is Kind.NOTHING
    assert "they are others by now" in change.notes[0]
