"""Projects that sell something, in memory: a clean one, and the same with one thing changed."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from argosy.conformance.case import Case
from argosy.conformance.catalogue import CHECKS
from argosy.conformance.finding import Finding
from argosy.conformance.observing.project import SCENES
from argosy.conformance.profile import Profile
from argosy.conformance.run import judge
from argosy.conformance.scenes.project import ApiModel, BuyerCode, Folder, NamedFile, Notebook, ProjectFacts
from argosy.marketplace.model_package import PackageTypes
from argosy.marketplace.table import Marketplace
from tests.marketplace.offers import CLEAN, changed

SAMPLE = NamedFile("samples/one.json", 11, b'{"image":1}')
SAMPLES = Folder("validation", (NamedFile("validation/one.json", 11, b'{"image":1}'),))
IMAGE = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/vehicle-detector@sha256:{'0' * 64}"
TYPES = frozenset({"ml.m5.large", "ml.m5.xlarge", "ml.c5.xlarge", "ml.g5.xlarge"})
API = ApiModel("botocore", TYPES | {"ml.c7g.large"}, TYPES)
CELLS = (
    "%pip install rasterio\nimport boto3\nimport rasterio",
    'session = boto3.Session()\nmodel = session.client("sagemaker").create_model(\n'
    '    ModelName="vehicles", PrimaryContainer={"ModelPackageName": arn}, EnableNetworkIsolation=True\n)',
    'runtime = session.client("sagemaker-runtime", config=Config(read_timeout=70, retries={"max_attempts": 0}))\n'
    'runtime.invoke_endpoint(EndpointName="vehicles", Body=body)',
)


def facts_of(table: Mapping[str, Any] = CLEAN, **fields: Any) -> ProjectFacts:
    """What a clean project says, with another table or other fields."""
    converted = msgspec.convert(table, Marketplace)
    facts = ProjectFacts(
        converted,
        PackageTypes.of(converted, ()),
        image=IMAGE,
        artifacts_bytes=10**8,
        image_bytes=10**9,
        samples=SAMPLES,
        files={SAMPLE.path: SAMPLE},
        api=API,
    )
    return replace(facts, **fields)


def with_value(path: str, value: object) -> ProjectFacts:
    return facts_of(changed(path, value))


def judge_project(
    facts: ProjectFacts, cells: tuple[str, ...] = CELLS, notebook: Notebook | None = None
) -> Mapping[str, Finding]:
    """The findings on what a project sells, by clause."""
    notebook = notebook or Notebook("notebook.ipynb", cells)
    pieces = (("usage.instructions", facts.table.usage.instructions), (notebook.path, "\n".join(notebook.cells)))
    findings = judge(Case.of(facts, notebook, BuyerCode(pieces)), profile=Profile.MARKETPLACE)
    own = {check.clause.id for check in CHECKS if check.scene in SCENES}
    return {finding.clause.id: finding for finding in findings if finding.clause.id in own}


def notebook_text(*cells: str) -> str:
    return json.dumps(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {},
            "cells": [
                {"cell_type": "markdown", "metadata": {}, "source": "# Vehicles"},
                *({"cell_type": "code", "metadata": {}, "outputs": [], "source": [cell]} for cell in cells),
            ],
        }
    )
