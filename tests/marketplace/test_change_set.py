import pytest

from argosy.errors import UsageError
from argosy.marketplace.change_set import CatalogChange, ChangeSet, Entity, changed_members


def test_a_change_is_told_as_the_api_spells_it() -> None:
    create = CatalogChange("CreateProduct", Entity.product(), {"ProductTitle": "x"}, "CreateProductChange")
    assert create.request() == {
        "ChangeType": "CreateProduct",
        "Entity": {"Type": "MachineLearningProduct@1.0"},
        "DetailsDocument": {"ProductTitle": "x"},
        "ChangeName": "CreateProductChange",
    }
    release = CatalogChange("ReleaseProduct", Entity.product(create.reference))
    assert release.request()["Entity"]["Identifier"] == "$CreateProductChange.Entity.Identifier"
    assert "ChangeName" not in release.request()


def test_a_title_that_the_api_would_not_take_is_made_one_that_it_does() -> None:
    changes = ChangeSet(
        "update vehicles: 1.0/β " + "x" * 200, (CatalogChange("ReleaseOffer", Entity.offer("offer-1")),)
    )
    request = changes.request("VALIDATE")
    assert request["ChangeSetName"].startswith("update vehicles: 1.0-β x")
    assert len(request["ChangeSetName"]) == 100
    assert request["Intent"] == "VALIDATE"


@pytest.mark.parametrize("count", [0, 21])
def test_a_set_that_aws_would_not_take_is_not_made(count: int) -> None:
    with pytest.raises(UsageError, match="want 1 to 20"):
        ChangeSet("x", (CatalogChange("ReleaseOffer", Entity.offer("offer-1")),) * count).request("APPLY")


def test_only_what_says_something_else_has_changed() -> None:
    shown = {"A": " text ", "B": None, "C": {"Required": False, "Name": "x"}, "D": ["b", "a"], "E": ["b", "a"]}
    said = {"A": "text", "B": [], "C": {"Name": "x"}, "D": ["a", "b"], "E": ["a", "b"]}
    assert changed_members(said, shown, ("D",)) == {"E": ["a", "b"]}
    assert changed_members({"C": {"Name": "x", "Required": True}}, shown) == {"C": {"Name": "x", "Required": True}}
    assert changed_members({"D": []}, shown) == {"D": []}
