"""The registry's door for other people's clients: docker and skopeo."""

import base64
import os
import subprocess
from pathlib import Path

import pytest

from argosy.registry.transports import write_image
from argosy.testing.local_aws import SELLER, LocalAwsServer
from tests.local_aws.stand_in import REGION, Push, small_image

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
NAME = "argosy-test/local-aws:1"

pytestmark = pytest.mark.engine


def run(*command: str, config: Path, given: str = "") -> str:
    environment = {**os.environ, "DOCKER_CONFIG": str(config), "REGISTRY_AUTH_FILE": str(config / "config.json")}
    done = subprocess.run(command, input=given, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def login(aws: LocalAwsServer) -> tuple[str, str]:
    """Host and port of the registry, and the password."""
    given = aws.client("ecr").get_authorization_token()["authorizationData"][0]
    user, _, password = base64.b64decode(given["authorizationToken"]).decode().partition(":")
    assert user == "AWS"
    return given["proxyEndpoint"].removeprefix("http://"), password


def test_docker_logs_in_pushes_and_pulls(local_aws: LocalAwsServer, push: Push, tmp_path: Path) -> None:
    ecr = local_aws.client("ecr")
    ecr.create_repository(repositoryName="by/docker")
    host, password = login(local_aws)
    archive = tmp_path / "image.tar"
    write_image(small_image("docker"), f"docker-archive:{archive}:{NAME}", push.access(SELLER, REGION)[1])
    run("docker", "load", "--input", str(archive), config=tmp_path)
    run("docker", "login", "--username", "AWS", "--password-stdin", host, config=tmp_path, given=password)
    name = f"{host}/by/docker:1"
    try:
        run("docker", "tag", NAME, name, config=tmp_path)
        run("docker", "push", name, config=tmp_path)
        (found,) = ecr.describe_images(repositoryName="by/docker")["imageDetails"]
        run("docker", "rmi", name, NAME, config=tmp_path)
        pulled = run("docker", "pull", name, config=tmp_path)
    finally:
        subprocess.run(["docker", "rmi", "--force", name, NAME], capture_output=True)
    assert found["imageManifestMediaType"] == DOCKER
    assert found["imageDigest"] in pulled


def test_skopeo_pushes_and_pulls(local_aws: LocalAwsServer, push: Push, tmp_path: Path) -> None:
    ecr = local_aws.client("ecr")
    ecr.create_repository(repositoryName="by-skopeo", imageTagMutability="IMMUTABLE")
    host, password = login(local_aws)
    image, access = small_image("skopeo"), push.access(SELLER, REGION)[1]
    write_image(image, f"docker-archive:{tmp_path / 'one.tar'}:{NAME}", access)
    write_image(small_image("another"), f"docker-archive:{tmp_path / 'two.tar'}:{NAME}", access)
    options = ("--dest-tls-verify=false", "--dest-creds", f"AWS:{password}", "--format", "v2s2")
    target = f"docker://{host}/by-skopeo:1"
    run("skopeo", "copy", *options, f"docker-archive:{tmp_path / 'one.tar'}", target, config=tmp_path)
    (found,) = ecr.describe_images(repositoryName="by-skopeo")["imageDetails"]
    assert found["imageManifestMediaType"] == DOCKER

    back = ("--src-tls-verify=false", "--src-creds", f"AWS:{password}")
    run("skopeo", "copy", *back, target, f"dir:{tmp_path / 'back'}", config=tmp_path)
    refused = subprocess.run(
        ["skopeo", "copy", *options, f"docker-archive:{tmp_path / 'two.tar'}", target], capture_output=True, text=True
    )
    assert refused.returncode != 0
    assert "cannot be overwritten because the tag is immutable" in refused.stderr
