"""Transform jobs over files and over objects: found again, fetched once, and told when they fail."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from argosy.aws.s3 import S3Client
from argosy.deployment.batch.job import JobStep, Resources
from argosy.deployment.batch.place import Uri, local_files, uri
from argosy.deployment.batch.results import ResultsStep
from argosy.deployment.batch.source import GivenInputStep, StagedInputStep
from argosy.deployment.endpoint_config import Instances
from argosy.deployment.names import PackageArn
from argosy.deployment.plans import deploy_stages, destroy_stages, model_steps, transform_stages
from argosy.errors import PlanError
from argosy.planning.step import Kind, Stage
from tests.deployment.account import BUCKET, REGION, ROLE, Account

REQUEST: dict[str, Any] = {
    "MaxPayloadInMB": 6,
    "TransformInput": {"S3DataSource": {"S3DataType": "S3Prefix"}, "ContentType": "text/csv", "SplitType": "Line"},
    "TransformOutput": {"Accept": "text/csv", "AssembleWith": "Line"},
}


def staged(deployment: str, folder: Path, package: PackageArn | None, **changed: Any) -> list[Stage]:
    """A job over the files of `folder/in`, with results in `folder/out`."""
    objects, place = S3Client(), Uri(BUCKET, "staging").below(deployment)
    return transform_stages(
        model_steps(deployment, REGION, package, ROLE, None),
        StagedInputStep(local_files(folder / "in"), place, REGION, objects),
        JobStep(deployment, REGION, Resources(None), {**REQUEST, **changed}, place, is_staged=True),
        ResultsStep(folder / "out", REGION, objects),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in/deeper").mkdir(parents=True)
    (tmp_path / "in/a.csv").write_text("1,2\n3,4\n")
    (tmp_path / "in/deeper/b.csv").write_text("5,6\n")
    return tmp_path


def jobs(buyer: Account, deployment: str) -> list[str]:
    listed = buyer.sagemaker.list_transform_jobs(NameContains=deployment)["TransformJobSummaries"]
    return [str(job["TransformJobName"]) for job in listed]


def test_files_become_results_and_the_second_run_does_nothing(buyer: Account, folder: Path) -> None:
    wanted = staged("batch", folder, buyer.package("batch-1"))
    plan = buyer.plan(wanted, "batch")
    assert [call.operation for change in plan.due for call in change.writes] == [
        "CreateModel",
        "PutObject",
        "PutObject",
        "CreateTransformJob",
    ]
    assert "1 x ml.m5.large" in plan.consents[0].sentence
    buyer.run(wanted, "batch")
    assert (folder / "out/a.csv.out").read_text() == "1,2\n3,4\n"
    assert (folder / "out/deeper/b.csv.out").read_text() == "5,6\n"
    assert buyer.plan(wanted, "batch").due == ()
    (folder / "out/a.csv.out").write_text("1,2\n3,5\n")
    (due,) = buyer.plan(wanted, "batch").due
    assert due.key == "results"
    buyer.run(wanted, "batch")
    assert (folder / "out/a.csv.out").read_text() == "1,2\n3,4\n"
    assert len(jobs(buyer, "batch-")) == 1


def test_other_files_or_options_are_another_job(buyer: Account, folder: Path) -> None:
    package = buyer.package("other-1")
    buyer.run(staged("other", folder, package), "other")
    (folder / "in/a.csv").write_text("1,2\n3,9\n")
    buyer.run(staged("other", folder, package), "other")
    assert (folder / "out/a.csv.out").read_text() == "1,2\n3,9\n"
    assert len(jobs(buyer, "other-")) == 2
    plan = buyer.plan(staged("other", folder, package, MaxPayloadInMB=5), "other")
    assert [change.key for change in plan.due] == ["job", "results"]


def test_a_deployment_has_the_model_already(buyer: Account, folder: Path) -> None:
    buyer.run(deploy_stages("has", buyer.package("has-1"), ROLE, Instances(None), None), "has")
    wanted = staged("has", folder, None)
    assert not any(change.key == "model" for change in buyer.plan(wanted, "has-batch").due)
    buyer.run(wanted, "has-batch")
    assert (folder / "out/a.csv.out").is_file()
    given = buyer.run(destroy_stages("has", REGION), "destroy-has")["remains"]
    assert any("2 objects" in line and "output" in line for line in given.values()), given
    assert any("2 objects" in line and "input" in line for line in given.values()), given


def test_a_deployment_that_is_not_there(buyer: Account, folder: Path) -> None:
    with pytest.raises(PlanError, match="no deployment of this name"):
        buyer.plan(staged("nobody", folder, None), "nobody")


def test_objects_of_a_bucket_stay_there(buyer: Account) -> None:
    buyer.s3.put_object(Bucket=BUCKET, Key="given/in/x.csv", Body=b"7,8\n")
    wanted = transform_stages(
        model_steps("given", REGION, buyer.package("given-1"), ROLE, None),
        GivenInputStep(uri(f"s3://{BUCKET}/given/in/"), REGION),
        JobStep("given", REGION, Resources(None), REQUEST, uri(f"s3://{BUCKET}/given/out"), is_staged=False),
        None,
    )
    buyer.run(wanted, "given")
    assert buyer.s3.get_object(Bucket=BUCKET, Key="given/out/x.csv.out")["Body"].read() == b"7,8\n"
    assert buyer.plan(wanted, "given").due == ()
    buyer.s3.put_object(Bucket=BUCKET, Key="given/in/y.csv", Body=b"9\n")
    assert [change.kind for change in buyer.plan(wanted, "given").due] == [Kind.CREATE]


def test_no_input_is_no_job(buyer: Account) -> None:
    with pytest.raises(PlanError, match="there is no input"):
        buyer.plan([[(GivenInputStep(uri(f"s3://{BUCKET}/nothing/"), REGION),)]])


def test_a_job_that_failed_says_which_objects_and_the_next_run_is_another_job(buyer: Account, folder: Path) -> None:
    (folder / "in/deeper/b.csv").write_text("STATUS-400\n")
    wanted = staged("failing-batch", folder, buyer.package("failing-batch-1"))
    with pytest.raises(PlanError, match=r"without a result: deeper/b\.csv") as error:
        buyer.run(wanted, "failing-batch")
    assert "the other results are at s3://" in str(error.value.hint)
    plan = buyer.plan(wanted, "failing-batch")
    (again,) = [change for change in plan.due if change.key == "job"]
    assert again.outputs["name"].endswith("-2")


def test_runs_that_are_killed_after_each_write_find_their_job(buyer: Account, folder: Path) -> None:
    wanted = staged("killed-batch", folder, buyer.package("killed-batch-1"))
    assert buyer.run_killed_at_each_write(wanted, "killed-batch") == ["CreateModel", "CreateTransformJob"]
    assert len(jobs(buyer, "killed-batch")) == 1
    assert (folder / "out/deeper/b.csv.out").read_text() == "5,6\n"


def test_a_run_killed_while_it_uploads_or_fetches_goes_on(buyer: Account, folder: Path) -> None:
    wanted = staged("halves", folder, buyer.package("halves-1"))
    (place,) = (step for step in wanted[0][0] if isinstance(step, StagedInputStep))
    buyer.s3.put_object(Bucket=BUCKET, Key=f"{place.place.key}a.csv", Body=b"1,2\n3,4\n")
    plan = buyer.plan(wanted, "halves")
    (upload,) = [call for change in plan.due for call in change.writes if call.operation == "PutObject"]
    assert upload.parameters["Key"].endswith("deeper/b.csv")
    buyer.run(wanted, "halves")
    shutil.rmtree(folder / "out/deeper")
    assert [change.key for change in buyer.plan(wanted, "halves").due] == ["results"]
    buyer.run(wanted, "halves")
    assert (folder / "out/deeper/b.csv.out").read_text() == "5,6\n"
