"""Projects on disk that sell something, with everything that their tables name."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from argosy.image.image import Image
from argosy.local_aws.accounts import INGESTION_ROLE, SELLER, VALIDATION_ROLE
from argosy.marketplace.table import Marketplace
from argosy.project import Project
from argosy.project_file import ImageTable, Model, Serving
from argosy.registry.layout import write_layout
from tests.conformance.sellers import CELLS, notebook_text
from tests.local_aws.stand_in import small_image
from tests.marketplace.offers import CLEAN

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


def project_of(root: Path, table: Mapping[str, Any] = CLEAN) -> Project:
    """A project in a folder, with samples, notebook and artifacts of the clean table."""
    for folder in ("samples", "validation", "model"):
        (root / folder).mkdir(exist_ok=True)
    (root / "samples/one.json").write_text('{"image": [0.1, 0.2]}')
    (root / "validation/one.json").write_text('{"image": [0.1, 0.2]}')
    (root / "samples/notebook.ipynb").write_text(notebook_text(*CELLS))
    (root / "predictor.py").write_text("class Model: ...\n")
    return Project(
        root,
        Model(predictor="predictor:Model", artifacts="model"),
        Serving(content_types=("application/json",)),
        ImageTable(),
        marketplace=msgspec.convert(table, Marketplace),
    )


def write_project(root: Path, name: str = "vehicle-detector", **said: Any) -> Path:
    """The folder of a project that sells all of the clean table from the local AWS, with its argosy.toml and image.

    Args:
        root: The folder, which is there.
        name: Of repository, bucket, package and product.
        said: Members of `[marketplace]` in place of the clean ones.
    """
    account = {
        "id": SELLER.number,
        "repository": name,
        "bucket": f"{name}-releases-{{region}}",
        "access_role": INGESTION_ROLE.arn,
    }
    validation = {"samples": "validation", "role": VALIDATION_ROLE.arn}
    listing = {**CLEAN["listing"], "title": f"The {name}"}
    table = {**CLEAN, "name": name, "account": account, "validation": validation, "listing": listing, **said}
    project_of(root, table)
    (root / "model/weights.bin").write_bytes(ARTIFACTS["weights.bin"])
    heads = '[model]\npredictor = "predictor:Model"\nartifacts = "model"\n\n[marketplace]\n'
    members = "".join(f"{key} = {toml_value(value)}\n" for key, value in table.items())
    (root / "argosy.toml").write_text(heads + members, encoding="utf-8")
    write_layout(small_image(name), root / "build" / "image", "latest")
    return root


def toml_value(value: Any) -> str:
    """A value on one line of TOML, whose texts, numbers and lists are JSON's."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{json.dumps(key)} = {toml_value(inner)}' for key, inner in value.items())} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    return json.dumps(value)
