"""The update is the difference: nothing when nothing differs, and nothing left once it is done."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import ProjectError, UsageError
from argosy.marketplace.change_set import ChangeSet
from argosy.marketplace.described import DescribedOffer, DescribedProduct
from argosy.marketplace.product_changes import Version, creating_product
from argosy.marketplace.product_update import Sent, restricting, showing, updating
from argosy.marketplace.table import Marketplace
from tests.marketplace.entities import OPTION, Shop
from tests.marketplace.test_product_changes import VERSION, table_of

LOGO_COPY = "https://awsmp-logos.s3.amazonaws.com/0123456789abcdef"
NEXT = Version(VERSION.package_arn.replace("1-0-0", "1-1-0"), VERSION.access_role)
CLEAN_TABLE = table_of()


def sold(table: Marketplace = CLEAN_TABLE) -> Shop:
    shop = Shop()
    shop.apply(creating_product(table, VERSION))
    return shop


def update(shop: Shop, table: Marketplace, version: Version = VERSION, sent: Sent | None = None) -> ChangeSet:
    product = DescribedProduct.of(shop.described_product())
    return updating(product, DescribedOffer.of(shop.described_offer()), table, version, sent)


def types_of(changes: ChangeSet) -> list[str]:
    return [change.type for change in changes.changes]


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).map(
    lambda text: f"about {text}"
)
LINKS = st.lists(st.fixed_dictionaries({"text": TEXT, "url": st.just("https://example.com/manual.html")}), max_size=3)
PARAMETERS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from("abcdef"), "description": TEXT},
        optional={"required": st.booleans(), "constraints": TEXT},
    ),
    max_size=3,
)
PRICE = st.decimals("0.01", "99", places=2).map(str)
TABLES = st.fixed_dictionaries(
    {},
    optional={
        "buyer_accounts": st.lists(st.sampled_from([f"{n:012}" for n in range(5)]), unique=True),
        "listing/title": TEXT,
        "listing/sku": TEXT,
        "listing/highlights": st.lists(TEXT, min_size=1, max_size=3),
        "listing/keywords": st.lists(TEXT, min_size=1, max_size=3),
        "listing/video_url": st.sampled_from([None, "https://example.com/video.mp4"]),
        "listing/resources": LINKS,
        "release/notes": TEXT,
        "usage/instructions": TEXT,
        "usage/repository_url": st.sampled_from([None, "https://github.com/example/other"]),
        "usage/input/parameters": PARAMETERS,
        "usage/input/limitations": st.one_of(st.just(""), TEXT),
        "pricing/free_trial_days": st.one_of(st.none(), st.integers(5, 31)),
        "pricing/batch": st.fixed_dictionaries({"ml.m5.large": PRICE, "ml.m5.xlarge": PRICE}),
        "pricing/refund_policy": TEXT,
        "pricing/eula": st.sampled_from(["standard", "https://example.com/eula.pdf"]),
        "instances/recommended_batch": st.sampled_from(["ml.m5.large", "ml.m5.xlarge"]),
    },
).map(lambda fields: with_fields(fields))


def with_fields(fields: dict[str, Any]) -> Marketplace:
    """The clean table with the values at dotted paths."""

    def put(struct: Any, steps: list[str], value: object) -> Any:
        name, *rest = steps
        kind = next(field.type for field in msgspec.structs.fields(type(struct)) if field.name == name)
        inner = put(getattr(struct, name), rest, value) if rest else msgspec.convert(value, kind)
        return msgspec.structs.replace(struct, **{name: inner})

    table: Any = CLEAN_TABLE
    for path, value in fields.items():
        table = put(table, path.split("/"), value)
    assert isinstance(table, Marketplace)
    return table


@given(TABLES)
def test_what_was_just_made_needs_no_update(table: Marketplace) -> None:
    changes = update(sold(table), table)
    assert changes.changes == ()
    assert changes.notes == ()


@given(TABLES, TABLES)
def test_an_update_leaves_nothing_to_update(before: Marketplace, after: Marketplace) -> None:
    shop = sold(before)
    shop.apply(update(shop, after))
    assert update(shop, after).changes == ()


def test_only_what_differs_is_sent() -> None:
    listing = msgspec.structs.replace(CLEAN_TABLE.listing, support="Write to help@example.com, we answer in a day.")
    release = msgspec.structs.replace(CLEAN_TABLE.release, notes="The same, better described.")
    table = msgspec.structs.replace(CLEAN_TABLE, listing=listing, release=release)
    changes = update(sold(), table).changes
    assert [(change.type, change.details) for change in changes] == [
        ("UpdateInformation", {"SupportDescription": listing.support}),
        (
            "UpdateDeliveryOptions",
            {
                "Version": {"ReleaseNotes": release.notes},
                "DeliveryOptions": [{"Id": "00000000-0000-0000-0000-000000000064"}],
            },
        ),
    ]


def test_how_a_version_is_used_is_changed_in_place() -> None:
    usage = msgspec.structs.replace(CLEAN_TABLE.usage, instructions="Call invoke_endpoint with JSON.")
    (change,) = update(sold(), msgspec.structs.replace(CLEAN_TABLE, usage=usage)).changes
    (option,) = change.details["DeliveryOptions"]
    assert option["Details"] == {OPTION: {"UsageInstructions": usage.instructions}}
    assert "Version" not in change.details


def test_another_package_is_a_new_version() -> None:
    table = msgspec.structs.replace(
        CLEAN_TABLE, version="1.1.0", release=msgspec.structs.replace(CLEAN_TABLE.release, title=None)
    )
    shop = sold()
    changes = update(shop, table, NEXT)
    assert types_of(changes) == ["AddDeliveryOptions"]
    assert changes.changes[0].details["Version"]["VersionTitle"] == "1.1.0"
    shop.apply(changes)
    assert update(shop, table, NEXT).changes == ()


def test_a_title_is_one_versions_alone() -> None:
    with pytest.raises(ProjectError, match=r"has this title already.*got `1\.0\.0` for") as refused:
        update(sold(), CLEAN_TABLE, NEXT)
    assert refused.value.hint == 'set the next version, as version = "1.0.1", or another title in [marketplace.release]'


def test_a_package_that_aws_shows_under_its_own_account_is_the_sellers() -> None:
    shop = sold()
    source = shop.product["Versions"][0]["Sources"][0]
    source["ModelPackageArn"] = "arn:aws:sagemaker:us-east-1:865070037744:model-package/vehicle-detector-1-0-0-abc"
    assert update(shop, CLEAN_TABLE).changes == ()


def test_a_title_that_was_changed_is_that_of_the_same_package() -> None:
    release = msgspec.structs.replace(CLEAN_TABLE.release, title="First")
    (change,) = update(sold(), msgspec.structs.replace(CLEAN_TABLE, release=release)).changes
    assert change.details["Version"] == {"VersionTitle": "First"}


@pytest.mark.parametrize(
    ("sent", "changed"), [(None, False), (CLEAN_TABLE.listing.logo_url, False), ("https://example.com/old.png", True)]
)
def test_a_logo_that_aws_copied_is_sent_again_only_where_another_was_sent(sent: str | None, changed: bool) -> None:
    shop = sold()
    shop.product["PromotionalResources"]["LogoUrl"] = LOGO_COPY
    changes = update(shop, CLEAN_TABLE, sent=Sent(logo_url=sent))
    assert types_of(changes) == (["UpdateInformation"] if changed else [])
    assert bool(changes.notes) is (sent is None)


def test_a_draft_is_released_and_a_product_without_an_offer_gets_one() -> None:
    shop = sold()
    shop.product["Description"]["Visibility"] = "Draft"
    product = DescribedProduct.of(shop.described_product())
    changes = updating(product, None, CLEAN_TABLE, VERSION)
    assert types_of(changes)[:2] == ["ReleaseProduct", "CreateOffer"]
    assert changes.changes[1].details["ProductId"] == product.id


def test_versions_are_restricted_by_their_titles_but_the_last_one_never() -> None:
    shop = sold()
    table = msgspec.structs.replace(CLEAN_TABLE, release=msgspec.structs.replace(CLEAN_TABLE.release, title="1.1.0"))
    with pytest.raises(UsageError, match="the last version that buyers can get"):
        restricting(DescribedProduct.of(shop.described_product()), ["1.0.0"])
    shop.apply(update(shop, table, NEXT))
    product = DescribedProduct.of(shop.described_product())
    changes = restricting(product, ["1.0.0"])
    assert changes.changes[0].details == {"DeliveryOptionIds": ["00000000-0000-0000-0000-000000000064"]}
    assert "supported for 90 days" in changes.notes[0]
    shop.apply(changes)
    assert restricting(DescribedProduct.of(shop.described_product()), ["1.0.0"]).changes == ()
    with pytest.raises(UsageError, match=r"got `2\.0\.0`, want one of: 1\.0\.0, 1\.1\.0"):
        restricting(product, ["2.0.0"])


def test_many_versions_are_restricted_in_changes_that_aws_takes() -> None:
    product = DescribedProduct.of(sold().described_product())
    one = product.versions[0]
    many = tuple(replace(one, option_id=str(n), texts={"VersionTitle": str(n)}) for n in range(60))
    changes = restricting(replace(product, versions=many), [str(n) for n in range(59)]).changes
    assert [len(change.details["DeliveryOptionIds"]) for change in changes] == [50, 9]


@pytest.mark.parametrize(("visibility", "types"), [("Limited", ["UpdateTargeting"]), ("Public", [])])
def test_buyers_are_named_only_while_not_everybody_sees_it(visibility: str, types: list[str]) -> None:
    shop = sold()
    shop.product["Description"]["Visibility"] = visibility
    assert types_of(update(shop, with_fields({"buyer_accounts": ["111111111111"]}))) == types


def test_a_product_is_shown_once() -> None:
    shop = sold()
    product = DescribedProduct.of(shop.described_product())
    assert showing(product, "Limited").changes == ()
    changes = showing(product, "Public")
    assert types_of(changes) == ["UpdateVisibility"]
    assert "AWS reviews" in changes.notes[0]
    shop.apply(changes)
    assert showing(DescribedProduct.of(shop.described_product()), "Public").changes == ()
