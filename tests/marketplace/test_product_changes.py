"""The change set that makes a product, held against a golden one."""

import json
from pathlib import Path

import msgspec
import pytest

from argosy.errors import ProjectError
from argosy.marketplace.change_set import Entity
from argosy.marketplace.listing import OutputParameter, Sample, Usage
from argosy.marketplace.product_changes import (
    Version,
    add_version,
    creating_product,
    information,
    update_visibility,
    with_sample_texts,
)
from argosy.marketplace.table import Marketplace
from tests.marketplace.offers import CLEAN, changed

GOLDEN = Path(__file__).parents[1] / "golden/create-product.json"
TEXTS = {"samples/one.json": '{"image": 1}'}
VERSION = Version(
    "arn:aws:sagemaker:us-east-1:123456789012:model-package/vehicle-detector-1-0-0",
    "arn:aws:iam::123456789012:role/marketplace-ingestion",
)


def table_of(path: str | None = None, value: object = None) -> Marketplace:
    """The clean table with its samples read, and the value at a path."""
    return with_sample_texts(msgspec.convert(CLEAN if path is None else changed(path, value), Marketplace), TEXTS)


def test_the_change_set_is_the_golden_one() -> None:
    changes = creating_product(table_of(), VERSION)
    assert changes.request("VALIDATE") == json.loads(GOLDEN.read_text())
    assert changes.notes == ()


def test_nobody_is_let_in_where_no_buyer_is_named() -> None:
    types = [change.type for change in creating_product(table_of("buyer_accounts", []), VERSION).changes]
    assert "UpdateTargeting" not in types
    assert types[-1] == "ReleaseOffer"


def test_what_is_not_said_is_not_sent() -> None:
    details = information(table_of("listing/video_url", "https://example.com/video.mp4"))
    assert details["VideoUrls"] == ["https://example.com/video.mp4"]
    assert "Sku" not in details
    assert information(table_of("listing/sku", " A-1 "))["Sku"] == "A-1"
    usage = add_version(Entity.product("prod-x"), table_of("usage/input/limitations", ""), VERSION).details
    said = usage["DeliveryOptions"][0]["Details"]["SageMakerModelPackageDeliveryOptionDetails"]["InputProperties"]
    assert "Limitations" not in said
    assert said["Parameters"] == [{"Name": "image", "Description": "The pixels, row by row.", "Required": True}]


def test_constraints_of_an_output_are_in_its_description() -> None:
    assert OutputParameter("p", "A number.", "0 to 1.").whole_description == "A number. 0 to 1."
    assert OutputParameter("p", "A number.").whole_description == "A number."


@pytest.mark.parametrize(
    ("usage", "repository"),
    [
        (Usage(notebook_url="https://github.com/a/b/blob/main/c.ipynb"), "https://github.com/a/b"),
        (
            Usage(notebook_url="https://github.com/a/b/c.ipynb", repository_url="https://github.com/d/e"),
            "https://github.com/d/e",
        ),
        (Usage(notebook_url="https://example.com/a/b/c.ipynb"), ""),
        (Usage(notebook_url="https://github.com/a"), ""),
    ],
)
def test_the_repository_is_the_notebooks_unless_another_is_said(usage: Usage, repository: str) -> None:
    assert usage.repository == repository


def test_a_sample_file_is_read_before_it_is_sent() -> None:
    table = msgspec.convert(CLEAN, Marketplace)
    with pytest.raises(ProjectError, match=r"samples/one\.json: the sample cannot be read"):
        with_sample_texts(table, {})
    with pytest.raises(ProjectError, match="not read yet"):
        add_version(Entity.product("prod-x"), table, VERSION)
    assert table_of().usage.input.realtime_sample == Sample(text=TEXTS["samples/one.json"])


def test_a_product_that_is_restricted_may_have_a_successor() -> None:
    assert update_visibility(Entity.product("prod-x"), "Public").details == {"TargetVisibility": "Public"}
    details = update_visibility(Entity.product("prod-x"), "Restricted", "prod-y").details
    assert details["ReplacementProductId"] == "prod-y"
