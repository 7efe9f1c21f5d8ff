"""AWS in this process, for as long as a `with` block: moto, a registry, simulated SageMaker and two accounts.

    from argosy.testing.local_aws import local_aws

    with local_aws() as aws:
        aws.client("s3").create_bucket(Bucket="example")

The pytest fixture `local_aws` is made of it.
"""

import asyncio
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from argosy.aws.clients import Signer, client
from argosy.cli import environment
from argosy.cli.containers import open_container
from argosy.cli.simulation.aws import open_cloud
from argosy.image.image import Image
from argosy.local_aws.accounts import BUYER, DEFAULT_REGION, SELLER, Account, environment_of
from argosy.local_aws.images.scans import COMPLETE, ScanOutcome
from argosy.local_aws.service import OpenImage
from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.runtime.service import bind
from argosy.testing.event_loop import loop_thread

if TYPE_CHECKING:
    from argosy.local_aws.cloud import LocalAws

__all__ = ["BUYER", "SELLER", "Account", "LocalAwsServer", "local_aws"]


class LocalAwsServer:
    """AWS on a port of this machine.

    Attributes:
        url: Of everything: `AWS_ENDPOINT_URL`.
        reports: What a person should know of it, one line each, so far.
    """

    def __init__(self, aws: "LocalAws", url: str, reports: list[str]) -> None:
        self._aws = aws
        self.url = url
        self.reports = reports

    def environment(self, account: Account = SELLER, region: str = DEFAULT_REGION) -> dict[str, str]:
        """The variables with which a process works in an account: those of AWS alone."""
        return environment_of(account, self.url, region)

    def client(self, service: str, account: Account = SELLER, region: str = DEFAULT_REGION) -> Any:
        """An unmodified boto3 client (Any: boto3 makes their classes at run time); it repeats nothing that fails."""
        return client(service, self.url, region, Signer(account.access_key, account.secret_key))

    def set_scan_findings(self, digest: str, counts: Mapping[str, int], status: str = COMPLETE, looks: int = 0) -> None:
        """Say what scans of an image find; nothing is found where this was not called.

        Args:
            digest: Of the image; `*` for every image that is not named.
            counts: Findings by severity, as `{"HIGH": 1}`.
            status: `COMPLETE`, or another that ECR has.
            looks: How often a scan is `IN_PROGRESS` before it has this status.
        """
        self._aws.scans.expect(digest, ScanOutcome(status, dict(counts), looks))

    def after_write(self, callback: Callable[[str, str], None]) -> AbstractContextManager[None]:
        """Call back, while a `with` block runs, whenever a call has changed something and is not answered yet.

        The callback takes the service's signing name (`registry` for pushes) and the operation. The answer waits for
        it: a callback that kills the client has killed it between the change and its knowledge of it.
        """
        return self._aws.after_write(callback)


@contextmanager
def local_aws(state: Path | None = None, open_image: OpenImage | None = None) -> Iterator[LocalAwsServer]:
    """AWS on a free port while the block runs; at its end all containers end. One at a time in a process.

    Args:
        state: The folder that it keeps everything in; None takes a temporary one.
        open_image: Makes the containers of images; None runs them as `argosy simulate` does.

    Raises:
        UsageError: This process has one already, or moto is not installed.
    """
    reports: list[str] = []
    with tempfile.TemporaryDirectory(prefix="argosy-aws-") as made, bind(0) as listener, loop_thread() as loop:
        folder = state or Path(made)
        aws = open_cloud(folder, open_image or as_simulated, reports.append, is_kept=state is not None)
        opened, stopping = threading.Event(), asyncio.Event()
        serving = loop.begin(aws.serve(listener, stopping, opened.set))
        serving.add_done_callback(lambda _: opened.set())
        opened.wait()
        try:
            if not serving.done():
                yield LocalAwsServer(aws, f"http://127.0.0.1:{listener.getsockname()[1]}", reports)
        finally:
            loop.run(_set(stopping))
            serving.result()


def as_simulated(image: Image, name: str, launch: Launch) -> Container:
    """A container of an image, run by what this machine has: Docker, else Podman, else a sandbox.

    Raises:
        ArgosyError: This machine cannot run it.
    """
    return open_container(f"docker://{name}", None, launch, environment.read(), image)


async def _set(event: asyncio.Event) -> None:
    event.set()
