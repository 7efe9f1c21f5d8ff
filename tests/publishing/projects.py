"""Projects on disk that sell something, with everything that their tables name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from argosy.marketplace.table import Marketplace
from argosy.project import Project
from argosy.project_file import ImageTable, Model, Serving
from tests.conformance.sellers import CELLS, notebook_text
from tests.marketplace.offers import CLEAN


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
