import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.testing.local_aws import SELLER, LocalAwsServer
from argosy.testing.local_aws import local_aws as serving
from tests.cli.selling.running import argosy, environment
from tests.local_aws.stand_in import open_stand_in
from tests.publishing.projects import make_project


@pytest.fixture(scope="module")
def local_aws() -> Iterator[LocalAwsServer]:
    with serving(open_image=open_stand_in) as aws:
        yield aws


def test_push_prints_the_reference_and_a_second_one_does_nothing(local_aws: LocalAwsServer, tmp_path: Path) -> None:
    root, environ = make_project(tmp_path / "rows"), environment(local_aws, tmp_path)
    done = argosy(environ, "push", root)
    assert done.returncode == 0, done.stderr
    (stored,) = local_aws.client("ecr").describe_images(repositoryName="team/rows")["imageDetails"]
    reference = f"{SELLER.number}.dkr.ecr.us-east-1.amazonaws.com/team/rows@{stored['imageDigest']}\n"
    assert done.stdout == reference
    assert "+ repository team/rows in us-east-1" in done.stderr
    assert "pushed image team/rows:1.0.0" in done.stderr
    again = argosy(environ, "push", root)
    assert (again.returncode, again.stdout) == (0, reference)
    assert again.stderr == "nothing to do: all is as it shall be\n"
    assert not_shown(environ, done, again)


def not_shown(environ: dict[str, str], *done: "subprocess.CompletedProcess[str]") -> bool:
    secret = environ["AWS_SECRET_ACCESS_KEY"]
    return all(secret not in one.stdout + one.stderr for one in done)


def test_another_image_is_named_and_findings_are_accepted_by_name(local_aws: LocalAwsServer, tmp_path: Path) -> None:
    root, environ = make_project(tmp_path / "found", name="found"), environment(local_aws, tmp_path)
    local_aws.set_scan_findings("*", {"HIGH": 1})
    try:
        image = f"oci:{root}/build/image:latest"
        done = argosy(environ, "push", root, "--image", image)
        assert done.returncode == 1
        assert "CVE-2099-HIGH-1 HIGH" in done.stderr
        assert "--accept-findings" in done.stderr
        accepted = argosy(environ, "push", root, "--image", image, "--accept-findings", "--json")
        assert accepted.returncode == 0, accepted.stderr
        assert '"us-east-1/image"' in accepted.stdout
    finally:
        local_aws.set_scan_findings("*", {})


def test_a_plan_needs_no_credentials_and_asks_nobody(tmp_path: Path) -> None:
    root = make_project(tmp_path / "rows")
    environ = environment(None, tmp_path)
    done = argosy(environ, "push", root, "--plan", "--region", "us-east-1", "--region", "eu-west-1")
    assert done.returncode == 0, done.stderr
    assert "there are no AWS credentials" in done.stderr
    assert done.stdout.count("ecr:CreateRepository") == 2
    assert done.stdout.endswith("plan: 6 to create\n")
    assert "changed since" not in done.stderr
    assert not (root / ".argosy/seller.json").exists()


def test_an_image_that_is_older_than_the_program_is_told_of(tmp_path: Path) -> None:
    root = make_project(tmp_path / "rows")
    later = (root / "build/image/index.json").stat().st_mtime_ns + 10**9
    os.utime(root / "predictor.py", ns=(later, later))
    done = argosy(environment(None, tmp_path), "push", root, "--plan")
    assert "changed since the image was built: predictor.py  (argosy build brings it in)" in done.stderr


def test_what_aws_would_refuse_is_told_before_it_is_asked(tmp_path: Path) -> None:
    root = make_project(tmp_path / "rows", name="Rows_")
    done = argosy(environment(None, tmp_path), "push", root)
    assert done.returncode == 2
    assert "is no name of a repository in ECR" in done.stderr
