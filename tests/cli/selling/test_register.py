"""`argosy register` as a user runs it, and as a machine that fails ends it: after each of its writes."""

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from argosy.aws.upload import PART_BYTES
from argosy.testing.local_aws import SELLER, LocalAwsServer
from argosy.testing.local_aws import local_aws as serving
from tests.cli.selling.running import TIMEOUT_S, argosy, environment, started
from tests.local_aws.stand_in import open_stand_in, small_image
from tests.publishing.projects import make_project


@pytest.fixture(scope="module")
def local_aws() -> Iterator[LocalAwsServer]:
    with serving(open_image=open_stand_in) as aws:
        yield aws


def test_register_asks_for_a_yes_prints_the_arn_and_then_has_nothing_to_do(
    local_aws: LocalAwsServer, tmp_path: Path
) -> None:
    root, environ = make_project(tmp_path / "rows"), environment(local_aws, tmp_path)
    asked = argosy(environ, "register", root)
    assert asked.returncode == 2
    assert "--yes agrees beforehand" in asked.stderr
    repositories = local_aws.client("ecr").describe_repositories()["repositories"]
    assert "team/rows" not in [one["repositoryName"] for one in repositories]
    done = argosy(environ, "register", root, "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"arn:aws:sagemaker:us-east-1:{SELLER.number}:model-package/rows-1-0-0\n"
    assert "model package rows-1-0-0 in us-east-1: Completed, validation Completed" in done.stderr
    wrote: list[str] = []
    with local_aws.after_write(lambda service, operation: wrote.append(f"{service}:{operation}")):
        again = argosy(environ, "register", root)
    assert (again.returncode, again.stdout, wrote) == (0, done.stdout, [])


def test_a_failed_validation_is_told_with_its_log_and_exit_code_1(local_aws: LocalAwsServer, tmp_path: Path) -> None:
    image = small_image("talks", STAND_IN_MODE="crash", PYTHONPROFILEIMPORTTIME="1")
    root, environ = make_project(tmp_path / "p", name="crash", image=image), environment(local_aws, tmp_path)
    done = argosy(environ, "register", root, "--yes")
    assert done.returncode == 1
    assert "SageMaker did not accept the model package" in done.stderr
    assert "the last lines of /aws/sagemaker/TransformJobs:\n    import time:" in done.stderr


class Death:
    """Kills a run after each write that a whole one makes, one write a run."""

    def __init__(self, due: Counter[str]) -> None:
        self.due = due
        self.pid = 0

    def __call__(self, service: str, operation: str) -> None:
        write = f"{service}:{operation}"
        if self.due[write] > 0 and self.pid:
            self.due[write] -= 1
            pid, self.pid = self.pid, 0
            os.kill(pid, signal.SIGKILL)


@pytest.mark.slow
def test_a_run_that_is_killed_after_any_write_is_gone_on_with_by_the_next(
    local_aws: LocalAwsServer, tmp_path: Path
) -> None:
    environ = environment(local_aws, tmp_path)
    said: dict[str, Any] = {
        "samples": {"one.csv": b"1\n"},
        "artifacts": {"weights.bin": random.Random(1).randbytes(PART_BYTES + 99)},
    }
    whole: Counter[str] = Counter()
    first = make_project(tmp_path / "whole", name="whole", image=small_image("whole"), **said)
    with local_aws.after_write(lambda service, operation: whole.update([f"{service}:{operation}"])):
        assert argosy(environ, "register", first, "--yes").returncode == 0
    assert (whole["sagemaker:CreateModelPackage"], whole["s3:UploadPart"]) == (1, 2), whole
    root = make_project(tmp_path / "killed", name="killed", image=small_image("killed"), **said)
    death = Death(Counter(whole))
    killed = 0
    with local_aws.after_write(death):
        for _ in range(whole.total() + 1):
            process = started(environ, tmp_path / "told", "register", root, "--yes")
            assert process.pid is not None
            death.pid = process.pid
            process.join(TIMEOUT_S)
            if process.exitcode == 0:
                break
            assert process.exitcode == -signal.SIGKILL, (tmp_path / "told").read_text()
            killed += 1
    assert process.exitcode == 0
    never = [write for write, count in whole.items() if death.due[write] == count]
    assert never == [], "no run was killed after these; of writes side by side, one death may be for two"
    assert killed >= len(whole)
    assert (tmp_path / "told").read_text().splitlines()[
        -1
    ] == f"arn:aws:sagemaker:us-east-1:{SELLER.number}:model-package/killed-1-0-0"
    assert left(local_aws, "killed") == left(local_aws, "whole")
    again = argosy(environ, "register", root)
    assert again.stderr == "nothing to do: all is as it shall be\n"


def left(aws: LocalAwsServer, name: str) -> Any:
    """All that is there under a name."""
    s3, bucket = aws.client("s3"), f"{name}-releases-us-east-1"
    images = aws.client("ecr").describe_images(repositoryName=f"team/{name}")["imageDetails"]
    packages = aws.client("sagemaker").list_model_packages()["ModelPackageSummaryList"]
    return {
        "tags": [image.get("imageTags") for image in images],
        "keys": [one["Key"].replace(name, "NAME") for one in s3.list_objects_v2(Bucket=bucket)["Contents"]],
        "uploads": s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []),
        "block": s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"],
        "encryption": s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"],
        "packages": [
            (one["ModelPackageName"].replace(name, "NAME"), one["ModelPackageStatus"])
            for one in packages
            if one["ModelPackageName"].startswith(name)
        ],
    }
