"""What a deployment leaves in S3: told with a command that deletes it only where nobody else's objects are."""

from typing import Any

import pytest

from argosy.deployment.ownership import TAG
from argosy.deployment.remains import RemainsStep
from tests.deployment.replies import Replies

STAGED = "s3://staging/argosy/iris/iris-dbfa2d01"
INPUT = f"s3://staging/argosy/iris/{'0f' * 16}/input/"


def _lines(target: str, source: str) -> list[str]:
    name = "iris-dbfa2d01"
    arn = f"arn:aws:sagemaker:us-east-1:444455556666:transform-job/{name}"
    job: dict[str, Any] = {
        "TransformOutput": {"S3OutputPath": target},
        "TransformInput": {"DataSource": {"S3DataSource": {"S3Uri": source}}},
    }
    replies = {
        "ListTransformJobs": [{"TransformJobSummaries": [{"TransformJobName": name, "TransformJobArn": arn}]}],
        "ListTags": [{"Tags": [{"Key": TAG, "Value": "iris"}]}],
        "DescribeTransformJob": job,
        "ListObjectsV2": [{"Contents": [{"Key": "a", "Size": 1_000_000}]}],
    }
    notes = RemainsStep("iris", "us-east-1").look(Replies(replies), {}).notes
    return [line for line in notes if line.startswith("costs by the month")]


def test_what_was_staged_is_told_with_the_command_that_deletes_it() -> None:
    assert _lines(f"{STAGED}/output/", INPUT) == [
        f"costs by the month: 1 objects, 1.0 MB, at {STAGED}/output/ (aws s3 rm --recursive {STAGED}/output/)",
        f"costs by the month: 1 objects, 1.0 MB, at {INPUT} (aws s3 rm --recursive {INPUT})",
    ]
    (line, _) = _lines("s3://staging/it is/iris/iris-dbfa2d01-2/output/", INPUT)
    assert line.endswith("(aws s3 rm --recursive 's3://staging/it is/iris/iris-dbfa2d01-2/output/')")


@pytest.mark.parametrize("target", ["s3://data", "s3://data/all/", "s3://data/iris/output/", "s3://data/iris/"])
def test_no_command_deletes_what_may_be_somebody_elses(target: str) -> None:
    (line,) = _lines(target, "s3://data/iris/input/")
    assert line == f"costs by the month: 1 objects, 1.0 MB, at {target} (results, and whatever else is there)"
