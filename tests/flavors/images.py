"""The image of an example: built, served as an endpoint, used for a transform job. No container engine is needed."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.flavors.environments import find_links
from tests.ports import free_port
from tests.scenarios.running import argosy, running
from tests.scenarios.test_endpoint import client_of

Invoke = Callable[[bytes, str, str], bytes]
"""Body, Content-Type and Accept to the answer."""


def built(folder: Path, work: Path) -> str:
    """The image of a copy of the project, as `argosy build` makes it; its layout."""
    copy, layout = work / "project", f"oci:{work}/image:latest"
    shutil.copytree(folder, copy, copy_function=_linked)
    needs_torch = any(line.startswith("torch") for line in (folder / "requirements.txt").read_text().splitlines())
    links = str(find_links()) if needs_torch else ""
    done = argosy("build", copy, "--no-sbom", "--output", layout, UV_FIND_LINKS=links)
    assert done.returncode == 0, done.stderr
    return layout


def compressed_bytes(layout: str) -> int:
    """The size of the layers of an image in an OCI layout."""
    folder = Path(layout.removeprefix("oci:").removesuffix(":latest"))
    (entry,) = json.loads((folder / "index.json").read_text())["manifests"]
    manifest: Any = json.loads((folder / "blobs" / entry["digest"].replace(":", "/")).read_text())  # any JSON
    return sum(layer["size"] for layer in manifest["layers"])


@contextmanager
def invoking(layout: str, log: Path) -> Iterator[Invoke]:
    """An endpoint of the image, to be invoked through boto3."""
    port = free_port()
    flags = ("--endpoint-name", "flavor", "--port", port, "--container", "sandbox", "--no-network-watch")
    with running(log, "simulate", "endpoint", layout, *flags) as endpoint:
        endpoint.await_true(lambda: "InService" in endpoint.log)
        client = client_of(port)

        def invoke(body: bytes, content_type: str, accept: str) -> bytes:
            answer = client.invoke_endpoint(EndpointName="flavor", ContentType=content_type, Accept=accept, Body=body)
            found: bytes = answer["Body"].read()
            return found

        yield invoke
        assert endpoint.stop() == 0, endpoint.log


def transformed(layout: str, records: Path, media_type: str, output: Path) -> str:
    """The results of a transform job over one file, a line for each of its records."""
    done = argosy(
        "simulate", "transform", layout, "--container", "sandbox", "--no-network-watch", "--input", records,
        "--output", output, "--content-type", media_type, "--accept", media_type, "--split-type", "Line",
        "--assemble-with", "Line",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (result,) = (path for path in output.rglob("*") if path.name == f"{records.name}.out")
    return "\n".join(line for line in result.read_text().splitlines() if line)


def _linked(source: str, target: str) -> None:
    """A second name for a file instead of a copy of it, where the two are on one disk."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
