"""The plan as programs read it."""

import json
from pathlib import Path

import jsonschema
import pytest

from argosy.planning.document import plan_document
from argosy.planning.plan import Plan
from argosy.planning.step import Change, Kind, Obstacle
from tests.planning.plans import EMPTY, PLAN

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs/reference/plan.schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("plan", [PLAN, EMPTY, Plan(())])
def test_the_document_keeps_its_published_schema(plan: Plan) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(json.loads(json.dumps(plan_document(plan))), SCHEMA)


def test_every_call_is_there_as_it_would_be_sent() -> None:
    _, package, product, _, old = plan_document(PLAN)["steps"]
    assert [call["operation"] for call in package["calls"]] == ["PutObject", "CreateModelPackage"]
    assert package["calls"][1]["parameters"] == {
        **PLAN.changes[1].writes[1].parameters,
        "InferenceSpecification": {
            "Containers": [{"Image": {"known_after": "image", "output": "uri"}, "Environment": {}}],
            "SupportedContentTypes": ["text/csv", "application/json"],
        },
    }
    assert product["before"] == PLAN.changes[2].before
    assert product["consent"]["risk"] == "goes public"
    assert old["change"] == "delete"


def test_the_schema_refuses_another_version_and_a_step_without_its_calls() -> None:
    document = plan_document(PLAN)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "schema": "argosy-plan-0"}, SCHEMA)
    del document["steps"][0]["calls"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(json.dumps(document)), SCHEMA)


def test_what_is_in_the_way_is_told_with_what_mends_it() -> None:
    blocked = Change("a", "a", Kind.NOTHING, obstacle=Obstacle("there is none", "argosy register"))
    document = plan_document(Plan((blocked,)))
    jsonschema.validate(json.loads(json.dumps(document)), SCHEMA)
    assert document["steps"][0]["obstacle"] == {"what": "there is none", "hint": "argosy register"}
