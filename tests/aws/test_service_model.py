"""Requests judged by botocore's model: what it allows is let through, what breaks a constraint is named."""

import re
from typing import Any

import pytest
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from argosy.aws import service_model

SAGEMAKER = service_model.load("sagemaker")
OPERATIONS = (
    *("CreateModel", "CreateEndpointConfig", "CreateEndpoint", "UpdateEndpoint", "UpdateEndpointWeightsAndCapacities"),
    *("CreateTransformJob", "CreateModelPackage", "CreateInferenceComponent", "ListEndpoints", "ListTags"),
    *("AddTags", "DeleteTags"),
)


def operation(name: str) -> service_model.Operation:
    found = SAGEMAKER.operation(name)
    assert found is not None
    return found


def shape(name: str) -> Any:
    return SAGEMAKER._model.operation_model(name).input_shape


def values(of: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a shape that keep all its constraints."""
    limits, kind = of.metadata, of.type_name
    least, most = limits.get("min", 0), limits.get("max", 10**6)
    if kind == "structure":
        optional = {} if depth > 2 else {n: m for n, m in of.members.items() if n not in of.required_members}
        return st.fixed_dictionaries(
            {name: values(of.members[name], depth + 1) for name in of.required_members},
            optional={name: values(member, depth + 1) for name, member in list(optional.items())[:12]},
        )
    if kind == "list":
        return st.lists(values(of.member, depth + 1), min_size=least, max_size=min(most, least + 2))
    if kind == "map":
        return st.dictionaries(
            values(of.key, depth + 1), values(of.value, depth + 1), min_size=least, max_size=min(most, least + 2)
        )
    if kind == "string":
        return _strings(of, least, most)
    if kind == "boolean":
        return st.booleans()
    if kind in ("integer", "long"):
        return st.integers(least, min(most, least + 1000))
    return st.floats(least, min(most, least + 1000), width=32)


def _strings(of: Any, least: int, most: int) -> st.SearchStrategy[str]:
    if of.enum:
        return st.sampled_from(of.enum)
    pattern = of.metadata.get("pattern")
    if pattern is None:
        return st.text(min_size=least, max_size=min(most, least + 20))
    compiled = service_model._compiled(pattern, True)
    texts = st.from_regex(compiled, fullmatch=True, alphabet=st.characters(max_codepoint=127))
    return texts.map(lambda text: text[:most]).filter(
        lambda text: least <= len(text) <= most and compiled.fullmatch(text) is not None
    )


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_keeps_all_constraints_is_let_through_as_botocore_does(name: str, data: st.DataObject) -> None:
    request = data.draw(values(shape(name)))
    assume(ParamValidator().validate(request, shape(name)).generate_report() == "")
    assert operation(name).mistyped(request) is None
    assert operation(name).unknown_members(request) == []
    assert operation(name).violations(request) == []


@pytest.mark.parametrize(
    ("name", "request_members", "sentences"),
    [
        ("CreateModel", {}, ["Value null at 'modelName' failed to satisfy constraint: Member must not be null"]),
        (
            "CreateModel",
            {"ModelName": "a b"},
            [
                "Value 'a b' at 'modelName' failed to satisfy constraint: Member must satisfy regular expression "
                r"pattern: [a-zA-Z0-9]([\-a-zA-Z0-9]*[a-zA-Z0-9])?"
            ],
        ),
        (
            "CreateEndpointConfig",
            {"EndpointConfigName": "x" * 64, "ProductionVariants": [{"InitialInstanceCount": 0}]},
            [
                f"Value '{'x' * 64}' at 'endpointConfigName' failed to satisfy constraint: Member must have length "
                "less than or equal to 63",
                f"Value '{'x' * 64}' at 'endpointConfigName' failed to satisfy constraint: Member must satisfy regular "
                "expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
                "Value null at 'productionVariants.1.member.variantName' failed to satisfy constraint: Member must not "
                "be null",
                "Value '0' at 'productionVariants.1.member.initialInstanceCount' failed to satisfy constraint: Member "
                "must have value greater than or equal to 1",
            ],
        ),
        (
            "ListEndpoints",
            {"SortOrder": "Up"},
            [
                "Value 'Up' at 'sortOrder' failed to satisfy constraint: Member must satisfy enum value set: "
                "[Ascending, Descending]"
            ],
        ),
        (
            "DeleteTags",
            {"ResourceArn": "arn:aws:sagemaker:eu-west-1:123456789012:model/a", "TagKeys": [""]},
            [
                "Value '[]' at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member must "
                "have length less than or equal to 128, Member must have length greater than or equal to 1, "
                r"Member must satisfy regular expression pattern: ([\p{L}\p{Z}\p{N}_.:/=+\-@]*)]"
            ],
        ),
    ],
)
def test_the_sentences_are_the_services(name: str, request_members: dict[str, Any], sentences: list[str]) -> None:
    assert operation(name).violations(request_members) == sentences


def test_the_values_of_a_map_are_not_repeated() -> None:
    request = {"ModelName": "a", "PrimaryContainer": {"Environment": {"1 KEY": "secret"}}}
    (sentence,) = operation("CreateModel").violations(request)
    assert "at 'primaryContainer.environment'" in sentence
    assert "Map keys must satisfy constraint: [" in sentence
    assert "secret" not in sentence


@given(st.text(min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_categories_of_characters_are_javas(text: str) -> None:
    import unicodedata

    request = {"ResourceArn": "arn:aws:sagemaker:eu-west-1:123456789012:model/a", "TagKeys": [text]}
    wanted = all(unicodedata.category(letter)[0] in "LZN" or letter in "_.:/=+-@" for letter in text)
    assert (operation("DeleteTags").violations(request) == []) is wanted


@pytest.mark.parametrize(
    ("member", "value", "is_taken"),
    [
        ("ContentType", "text/csv; charset=utf-8", True),
        ("ContentType", "text/größe", False),
        ("InferenceId", "a b", True),
        ("InferenceId", "a\tb", False),
        ("TargetModel", "model.tar.gz", True),
    ],
)
def test_classes_of_ascii_are_javas_too(member: str, value: str, is_taken: bool) -> None:
    invoke = service_model.load("sagemaker-runtime").operation("InvokeEndpoint")
    assert invoke is not None
    assert (invoke.violations({"EndpointName": "e", "Body": b"1", member: value}) == []) is is_taken


def test_a_pattern_that_python_does_not_understand_judges_nothing() -> None:
    """`CustomerMetadataKey` ends as no regular expression does: `*)${1,128}`."""
    request = {"ModelPackageArn": "arn:aws:sagemaker:eu-west-1:123456789012:model-package/a"}
    assert operation("UpdateModelPackage").violations({**request, "CustomerMetadataProperties": {"a": "b"}}) == []


@pytest.mark.parametrize(
    ("request_members", "sentence"),
    [
        ({"ModelName": 1}, "NUMBER_VALUE can not be converted to a String"),
        ({"ModelName": "a", "EnableNetworkIsolation": "true"}, "STRING_VALUE can not be converted to a Boolean"),
        ({"ModelName": "a", "Containers": {}}, "Expected list or null"),
        ({"ModelName": "a", "PrimaryContainer": {"Environment": []}}, "Expected map or null"),
        ({"ModelName": "a", "PrimaryContainer": "x"}, "Unexpected token STRING_VALUE"),
        ([], "Unexpected list element"),
    ],
)
def test_values_of_wrong_types_are_told(request_members: Any, sentence: str) -> None:
    assert re.match(sentence, str(operation("CreateModel").mistyped(request_members)))


def test_unknown_members_are_named_with_their_paths() -> None:
    request = {"ModelName": "a", "New": 1, "Containers": [{"Image": "i", "Newer": {}}]}
    assert operation("CreateModel").unknown_members(request) == ["New", "Containers[].Newer"]
    assert SAGEMAKER.operation("CreateCastle") is None


def test_an_answer_holds_what_the_model_has() -> None:
    members = {"ModelName": "a", "Tags": [], "PrimaryContainer": {"Image": "i", "Newer": 1, "Mode": None}}
    assert operation("DescribeModel").answer(members) == {"ModelName": "a", "PrimaryContainer": {"Image": "i"}}


def test_a_document_holds_any_json() -> None:
    start = service_model.load("marketplace-catalog").operation("StartChangeSet")
    assert start is not None
    change = {
        "ChangeType": "CreateProduct",
        "Entity": {"Type": "Product"},
        "DetailsDocument": {"Any": [1, {"x": None}]},
    }
    request = {"Catalog": "AWSMarketplace", "ChangeSet": [change]}
    assert (start.mistyped(request), start.unknown_members(request), start.violations(request)) == (None, [], [])


def test_an_answer_keeps_its_documents_and_what_is_in_maps() -> None:
    describe = service_model.load("marketplace-catalog").operation("BatchDescribeEntities")
    assert describe is not None
    detail = {"EntityType": "Offer", "DetailsDocument": {"Terms": [{"Type": "LegalTerm"}]}}
    answer = describe.answer({"EntityDetails": {"offer-1": {**detail, "Colour": "blue"}}})
    assert answer == {"EntityDetails": {"offer-1": detail}}
