"""The image of an example: built, served as an endpoint, used for a transform job. No container engine is needed."""

import json
import os
import shutil
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy.cli.environment import read
from argosy.cli.simulation.subject import Subject
from tests.flavors.environments import find_links
from tests.scenarios.running import argosy
from tests.scenarios.test_endpoint import client_of
from tests.simulator import serving_thread


def built(folder: Path, work: Path) -> str:
    """The image of a copy of the project, as `argosy build` makes it; its layout."""
    copy, layout = work / "project", f"oci:{work}/image:latest"
    shutil.copytree(folder, copy, copy_function=_linked)
    needs_torch = any(line.startswith("torch") for line in (folder / "requirements.txt").read_text().splitlines())
    links = str(find_links()) if needs_torch else ""
    done = argosy("build", copy, "--no-sbom", "--output", layout, UV_FIND_LINKS=links)
    assert done.returncode == 0, done.stderr
    return layout


def forget(layout: str) -> None:
    """Remove what the sandbox unpacked of an image: a gigabyte, of those with the largest frameworks."""
    digest = _entry(layout)["digest"].replace(":", "-")
    shutil.rmtree(read().cache_dir / "unpacked" / digest, ignore_errors=True)


def compressed_bytes(layout: str) -> int:
    """The size of the layers of an image in an OCI layout."""
    manifest: Any = json.loads((_folder(layout) / "blobs" / _entry(layout)["digest"].replace(":", "/")).read_text())
    return sum(layer["size"] for layer in manifest["layers"])


def _entry(layout: str) -> dict[str, str]:
    """The only image of an OCI layout, as its index has it."""
    (entry,) = json.loads((_folder(layout) / "index.json").read_text())["manifests"]
    found: dict[str, str] = entry
    return found


def _folder(layout: str) -> Path:
    return Path(layout.removeprefix("oci:").removesuffix(":latest"))


@dataclass(frozen=True)
class Served:
    """An endpoint of the image.

    Attributes:
        client: An unmodified boto3 client of `sagemaker-runtime` for it.
        url: The container behind it, for what an endpoint does not hand on.
    """

    client: Any
    url: str

    def invoke(self, body: bytes, content_type: str, accept: str) -> bytes:
        """Invoke the endpoint."""
        answer = self.client.invoke_endpoint(EndpointName="demo", ContentType=content_type, Accept=accept, Body=body)
        found: bytes = answer["Body"].read()
        return found

    def get(self, path: str) -> bytes:
        """Ask the container itself."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=30) as answer:
            found: bytes = answer.read()
            return found


@contextmanager
def endpoint(layout: str, **environ: str) -> Iterator[Served]:
    """An endpoint of the image in service, in a sandbox, with one model process."""
    subject = Subject(layout, "sandbox", is_watched=False, environment={"ARGOSY_WORKERS": "1", **environ})
    with subject.opener({}) as open_one:
        container = open_one()
        with serving_thread.serving(container, serving_thread.demo(startup_s=120)) as served:
            yield Served(client_of(urllib.parse.urlsplit(served.url).port or 0), container.url)


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
