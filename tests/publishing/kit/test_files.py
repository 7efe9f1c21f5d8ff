import json
import re
from pathlib import Path

import pytest

from argosy.publishing.kit.files import files
from tests.publishing.kit.kits import ARN, CASE, kit, whole_kits

GOLDEN = Path(__file__).parents[2] / "golden/kit-readme.md"


def test_a_kit_has_all_that_buyers_need() -> None:
    assert sorted(files(kit())) == [
        ".gitignore",
        "README.md",
        "client.py",
        *(f"policies/buyer/{name}.json" for name in ("deployer", "execution-role", "execution-role.trust", "invoker")),
        *("policies/buyer/notebook.json", "policies/buyer/subscriber.json"),
        *(f"policies/seller/{name}.json" for name in ("ingestion-role", "ingestion-role.trust", "publisher")),
        *(f"policies/seller/{name}.json" for name in ("validation-role", "validation-role.trust")),
        "regions.json",
        *(f"samples/{kind}/one.json{end}" for kind in ("batch", "realtime") for end in ("", ".out")),
        "vehicle-detector.ipynb",
    ]


def test_samples_are_kept_byte_for_byte_with_their_answers() -> None:
    found = files(kit())
    assert found["samples/realtime/one.json"] == CASE.body
    assert found["samples/realtime/one.json.out"] == CASE.answer


def test_the_map_of_regions_says_how_it_is_filled() -> None:
    told = json.loads(files(kit())["regions.json"])
    assert told["model_package_arns"] == {"eu-west-1": ARN}
    assert "--arn REGION=ARN" in told["note"]


def test_the_sellers_policies_stay_at_home() -> None:
    assert b"policies/seller/" in files(kit())[".gitignore"]


def test_the_page_reads_as_it_always_did() -> None:
    assert files(kit())["README.md"].decode() == GOLDEN.read_text()


@pytest.mark.parametrize("name", whole_kits())
def test_every_link_of_the_page_leads_to_a_file_of_the_kit(name: str) -> None:
    found = files(whole_kits()[name])
    page = found["README.md"].decode()
    for target in re.findall(r"\]\(([^)]+)\)", page):
        assert any(path == target or path.startswith(f"{target}/") for path in found), target


@pytest.mark.parametrize("name", whole_kits())
def test_the_same_kit_is_the_same_bytes_and_leaves_no_place_open(name: str) -> None:
    one = whole_kits()[name]
    assert files(one) == files(one)
    assert [path for path, content in files(one).items() if re.search(rb"@@[A-Z_]+@@", content)] == []
