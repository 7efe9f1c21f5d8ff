"""A project that sells a model package, small enough to be pushed and registered in a moment."""

from collections.abc import Mapping
from pathlib import Path

from argosy.image.image import Image
from argosy.local_aws.accounts import INGESTION_ROLE, SELLER, VALIDATION_ROLE
from argosy.registry.layout import write_layout
from tests.local_aws.stand_in import small_image

TABLE = f"""
[model]
predictor = "predictor:Rows"
artifacts = "model/"
bake = false

[marketplace]
name = "NAME"
version = "VERSION"
description = "Gives each row back."
region = "us-east-1"
content_types = ["text/csv"]
response_types = ["text/csv"]

[marketplace.instances]
realtime = ["ml.m5.large"]
batch = ["ml.m5.large"]

[marketplace.validation]
samples = "samples"
role = "{VALIDATION_ROLE.arn}"

[marketplace.account]
id = "{SELLER.number}"
repository = "team/NAME"
bucket = "NAME-releases-{{region}}"
prefix = "packages"
access_role = "{INGESTION_ROLE.arn}"
"""
ARTIFACTS: Mapping[str, bytes] = {"weights.bin": b"\x00\x01" * 500}
SAMPLES: Mapping[str, bytes] = {"one.csv": b"1,2,3\n", "more/two.csv": b"4,5,6\n"}


def make_project(
    root: Path,
    *,
    image: Image | None = None,
    name: str = "rows",
    version: str = "1.0.0",
    artifacts: Mapping[str, bytes] = ARTIFACTS,
    samples: Mapping[str, bytes] = SAMPLES,
) -> Path:
    """The project's folder, with its image where `argosy build` puts it."""
    said = TABLE.replace("VERSION", version).replace("NAME", name)
    texts = {"argosy.toml": said.encode(), "predictor.py": b"class Rows:\n    pass\n"}
    texts |= {f"model/{name}": content for name, content in artifacts.items()}
    texts |= {f"samples/{name}": content for name, content in samples.items()}
    for file, content in texts.items():
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    write_layout(image or small_image(), root / "build" / "image", "latest")
    return root
