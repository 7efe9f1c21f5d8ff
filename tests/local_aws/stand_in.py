"""A local AWS whose containers are stand-ins, and small images to push into it.

Whatever image is named, tests/simulator/stand_in.py runs with the container's environment: what is tested here is how
an image gets to be run, not what is in it.
"""

import gzip
import io
import json
import os
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from argosy.image.image import DOCKER_CONFIG, DOCKER_LAYER, DOCKER_MANIFEST, Image, digest_of
from argosy.registry.access import Access
from argosy.registry.progress import Transfer
from argosy.registry.transports import write_image
from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.containers.process import Command, ProcessContainer, free_port
from argosy.testing.local_aws import SELLER, Account, LocalAwsServer
from tests.simulator.control.world import STAND_IN

REGION = "us-east-1"


def open_stand_in(image: Image, name: str, launch: Launch) -> Container:
    """The stand-in, told in which image it would be: its labels are its environment."""
    labels = image.runtime.get("Labels") or {}
    variables = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **labels, **launch.environment}
    port = free_port()
    arguments = (sys.executable, str(STAND_IN), str(port))
    return ProcessContainer(Command(name, arguments, variables, Path("/"), port))


@dataclass(frozen=True)
class MemoryBlobs:
    """Blobs by digest."""

    held: dict[str, bytes]

    def open(self, digest: str) -> io.BytesIO:
        return io.BytesIO(self.held[digest])


def small_image(text: str = "a program", media_type: str = DOCKER_MANIFEST, **labels: str) -> Image:
    """An image of one file that holds a text; `labels` are the stand-in's environment."""
    layer = _layer(text.encode())
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": ["serve"], "Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(gzip.decompress(layer))]},
        }
    ).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": {"mediaType": DOCKER_CONFIG, "digest": digest_of(config), "size": len(config)},
            "layers": [{"mediaType": DOCKER_LAYER, "digest": digest_of(layer), "size": len(layer)}],
        },
        indent=2,  # not the canonical form: what is stored is what was sent
    ).encode()
    return Image(manifest, config, MemoryBlobs({digest_of(layer): layer, digest_of(config): config}))


def _layer(content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo("program")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), mtime=0)


def archive() -> bytes:
    """A model.tar.gz."""
    return _layer(b"weights")


class Silent:
    """Nobody is told how far a transfer is."""

    def begin(self, name: str, size: int) -> Transfer:
        return self

    def advance(self, count: int) -> None: ...

    def count(self, count: int) -> None: ...

    def end(self, outcome: str) -> None: ...


@dataclass(frozen=True)
class Push:
    """Pushes images as `argosy` does: to where ECR's login says that the registry is."""

    aws: LocalAwsServer
    cache: Path

    def access(self, account: Account, region: str) -> tuple[str, Access]:
        """Host and port of a registry, and what its login needs."""
        given = self.aws.client("ecr", account, region).get_authorization_token()["authorizationData"][0]
        host = given["proxyEndpoint"].removeprefix("http://")
        config = self.cache / f"docker-{host.replace(':', '-')}-{account.name}"
        config.mkdir(parents=True, exist_ok=True)
        (config / "config.json").write_text(json.dumps({"auths": {host: {"auth": given["authorizationToken"]}}}))
        return host, Access(config, {}, self.cache, Silent())

    def __call__(self, image: Image, name: str, account: Account = SELLER, region: str = REGION) -> str:
        """Push under `repository:tag`; returns the image's name by digest, as ECR has it."""
        host, access = self.access(account, region)
        digest = write_image(image, f"docker://{host}/{name}", access)
        return f"{account.number}.dkr.ecr.{region}.amazonaws.com/{name.partition(':')[0]}@{digest}"
