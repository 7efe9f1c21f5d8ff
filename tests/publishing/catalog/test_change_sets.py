from typing import Any

import pytest

from argosy.errors import PlanError
from argosy.marketplace.change_set import CatalogChange, ChangeSet, Entity
from argosy.publishing.catalog.change_sets import made, require_success, starting

PRODUCT = "MachineLearningProduct@1.0"
CHANGES = ChangeSet("update", (CatalogChange("UpdateInformation", Entity.product("prod-1"), {"Sku": "1"}),))


def described(status: str = "FAILED", **members: Any) -> dict[str, Any]:
    return {"ChangeSetId": "cs-1", "Status": status, "Intent": "APPLY", **members}


def token(*basis: str, changes: ChangeSet = CHANGES) -> Any:
    return starting(changes, "APPLY", basis).parameters["ClientRequestToken"]


def test_the_same_changes_have_the_same_token_and_no_others() -> None:
    other = ChangeSet("update", (CatalogChange("UpdateInformation", Entity.product("prod-1"), {"Sku": "2"}),))
    tokens = [token(), token("prod-1@2"), token("prod-1@2", "cs-failed"), token(changes=other)]
    assert token() == token()
    assert len(set(tokens)) == len(tokens)
    assert starting(CHANGES, "VALIDATE", ()).parameters["ClientRequestToken"] != token()


def test_what_a_change_set_made_is_known_without_revisions_and_with_what_aws_copies() -> None:
    terms = [{"Type": "LegalTerm", "Documents": [{"Type": "CustomEula", "Url": "https://a.io/eula.pdf"}]}]
    answer = {
        "ChangeSet": [
            {
                "Entity": {"Type": PRODUCT, "Identifier": "prod-1@1"},
                "DetailsDocument": {"LogoUrl": "https://a.io/l.png"},
            },
            {"Entity": {"Type": "Offer@1.0", "Identifier": "offer-1@3"}, "DetailsDocument": {"Terms": terms}},
            {"Entity": {"Type": "Offer@1.0", "Identifier": "$CreateOfferChange.Entity.Identifier"}},
        ]
    }
    expected = {
        "product": "prod-1",
        "offer": "offer-1",
        "logo_url": "https://a.io/l.png",
        "eula": "https://a.io/eula.pdf",
    }
    assert made(answer) == expected


def test_what_failed_is_told_change_by_change_with_cause_and_remedy() -> None:
    errors = [
        {"ErrorCode": "DUPLICATE_VERSION_TITLE", "ErrorMessage": "There is one."},
        {"ErrorCode": "SOMETHING_NEW", "ErrorMessage": "Nobody knows."},
    ]
    changes = [{"ChangeType": "AddDeliveryOptions", "ErrorDetailList": errors}, {"ChangeType": "ReleaseProduct"}]
    with pytest.raises(PlanError, match="AWS Marketplace did not make the changes") as refused:
        require_success(described(ChangeSet=changes))
    text = str(refused.value)
    assert "AddDeliveryOptions: DUPLICATE_VERSION_TITLE: There is one. (the product has a version of this title" in text
    assert "AddDeliveryOptions: SOMETHING_NEW: Nobody knows." in text
    assert refused.value.hint == "argosy.toml, [marketplace.release]: another title"


@pytest.mark.parametrize(
    ("answer", "said", "hint"),
    [
        (described(FailureDescription="AWS is not well."), "AWS is not well.", "run it again"),
        (described(FailureCode="SERVER_FAULT"), "SERVER_FAULT", "run it again"),
        (described("CANCELLED"), "CANCELLED", "run it again"),
        (described(Intent="VALIDATE"), "would not make the changes", "--without-validate"),
    ],
)
def test_what_failed_without_a_word_is_told_too(answer: dict[str, Any], said: str, hint: str) -> None:
    with pytest.raises(PlanError, match="the changes") as refused:
        require_success(answer)
    assert said in str(refused.value)
    assert hint in str(refused.value.hint)


def test_success_is_none_of_that() -> None:
    require_success(described("SUCCEEDED"))
