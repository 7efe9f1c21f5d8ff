"""SageMaker's built-in JSON shapes, as annotations of records and lists take them."""

from dataclasses import dataclass
from typing import Any

import jsonschema_rs
import msgspec
import pydantic
import pytest

from argosy.errors import DecodeError
from argosy.serving.inputs.annotation import read
from argosy.serving.inputs.kind import InputKind
from argosy.serving.model.negotiation import Negotiator
from tests.serving.inputs.annotated import annotated

SPARSE = b'{"data": {"features": {"keys": [0, 2], "shape": [3], "values": [1.5, 2]}}}'
JSON, LINES = "application/json", "application/jsonlines"


@dataclass
class Point:
    x: float
    y: float = 0.0


@dataclass
class Cluster:
    """A record whose own field has the name of SageMaker's wrapper."""

    instances: list[dict[str, int]]


class StructCluster(msgspec.Struct):
    instances: list[dict[str, int]]


class ModelCluster(pydantic.BaseModel):
    instances: list[dict[str, int]]


class PointStruct(msgspec.Struct):
    x: float


def decode(annotation: Any, body: bytes, content_type: str = JSON) -> tuple[object, bool]:
    """What `predict` gets, and whether it was one item."""
    return Negotiator(read(annotated(annotation)), None, None).find(content_type, "").decode(body)


@pytest.mark.parametrize(
    ("annotation", "body", "want"),
    [
        (list[Point], b'{"instances": [{"x": 1}, {"x": 2, "y": 3}]}', [Point(1), Point(2, 3)]),
        (list[Point], b'{"instances": [{"x": 1}], "configuration": {"a": 1}}', [Point(1)]),
        (list[Point], b'{"instances": []}', []),
        (list[PointStruct], b'{"instances": [{"x": 1}]}', [PointStruct(1)]),
        (list[dict[str, Any]], b'{"instances": [{"x": 1}]}', [{"x": 1}]),
        (list[str], b'{"instances": ["one", "two"]}', ["one", "two"]),
        (list[float], b'{"instances": [1, 2]}', [1.0, 2.0]),
        (list[float], b'{"instances": [{"features": [1, 2]}]}', [1.0, 2.0]),
        (list[float], b'{"instances": [' + SPARSE + b"]}", [1.5, 0.0, 2.0]),
        (list[int], b'{"instances": [{"data": {"features": {"values": [1, 2]}}}]}', [1, 2]),
        (list[list[float]], b'{"instances": [[1, 2], [3]]}', [[1.0, 2.0], [3.0]]),
        (list[list[float]], b'{"instances": [{"features": [1, 2]}, {"features": [3, 4]}]}', [[1.0, 2.0], [3.0, 4.0]]),
        (list[list[float]], b'[{"features": [1, 2]}]', [[1.0, 2.0]]),
        (list[list[float]], b'{"instances": [' + SPARSE + b", " + SPARSE + b"]}", [[1.5, 0.0, 2.0]] * 2),
        (list[tuple[int, str]], b'{"instances": [[1, "a"]]}', [(1, "a")]),
        (list, b'{"instances": [1, {"features": [2]}]}', [1, {"features": [2]}]),
        (list[Any], b'[{"features": [2]}]', [{"features": [2]}]),
    ],
)
def test_instances_are_the_items_of_the_list(annotation: Any, body: bytes, want: object) -> None:
    assert decode(annotation, body) == (want, False)


@pytest.mark.parametrize("annotation", [list[float], list[list[float]]])
def test_a_line_may_be_an_instance(annotation: Any) -> None:
    want: list[Any] = [1.0, 2.0]
    found, _ = decode(annotation, b'{"features": [1, 2]}\n', LINES)
    assert found == (want if annotation == list[float] else [want])


def test_one_record_may_be_the_only_instance() -> None:
    assert decode(Point, b'{"instances": [{"x": 1}]}') == (Point(1), False)
    with pytest.raises(DecodeError, match="got array, want object"):
        decode(Point, b'{"instances": [{"x": 1}, {"x": 2}]}')


@pytest.mark.parametrize("owner", [Cluster, StructCluster, ModelCluster])
def test_a_record_with_a_field_of_that_name_is_never_taken_apart(owner: Any) -> None:
    body = b'{"instances": [{"a": 1}]}'
    for annotation in (owner, owner | Point if owner is Cluster else owner):
        found, _ = decode(annotation, body)
        assert isinstance(found, owner)
    for given, is_single in ((body, True), (b"[" + body + b"]", False)):
        found, is_one = decode(list[owner], given)
        assert isinstance(found, list)
        assert isinstance(found[0], owner)
        assert is_one is is_single


@pytest.mark.parametrize(
    ("annotation", "body", "want", "is_single"),
    [
        (list[dict[str, Any]], b'{"instances": [1]}', [{"instances": [1]}], True),
        (list[dict[str, list[int]]], b'{"instances": [1]}', [{"instances": [1]}], True),
        (list[dict[str, Any]], b'{"instances": [{"a": 1}], "b": 2}', [{"instances": [{"a": 1}], "b": 2}], True),
        (dict[str, Any], b'{"instances": [{"a": 1}]}', {"instances": [{"a": 1}]}, False),
    ],
)
def test_a_mapping_is_taken_apart_only_when_it_holds_records_and_nothing_else(
    annotation: Any, body: bytes, want: object, is_single: bool
) -> None:
    assert decode(annotation, body) == (want, is_single)


@pytest.mark.parametrize(
    ("annotation", "body", "sentence"),
    [
        (list[Point], b'{"instances": [{"x": 1}, {"y": 1}]}', "row 2, field `x`"),
        (list[Point], b'{"instances": [{"x": 1}], "more": 1}', "row 1, field `x`"),
        (list[str], b'{"instances": ["one", 2]}', "row 2"),
        (list[list[float]], b'{"instances": [{"features": [1]}, {"features": ["x"]}]}', "row 2, entry 1"),
        (list[list[float]], b'{"instances": [{"nothing": [1]}]}', "row 1: .*got object, want array"),
        (list[list[float]], b'{"instances": [' + SPARSE.replace(b"[3]", b"[2]") + b"]}", "instance 1 has a key"),
        (list[list[float]], b'{"instances": [' + SPARSE.replace(b"[3]", b"[99999999]") + b"]}", "too large"),
        (list[float], b'{"instances": [{"features": [1]}, {"features": [2]}]}', "entry 1: .*got object, want number"),
        (list[float], b"[[1, 2]]", "entry 1: .*got array, want number"),
    ],
)
def test_what_does_not_fit_is_named_by_its_row(annotation: Any, body: bytes, sentence: str) -> None:
    with pytest.raises(DecodeError, match=sentence):
        decode(annotation, body)


@pytest.mark.parametrize("annotation", [list[Point], list[str], list[list[float]], list[float], list])
def test_the_schema_says_so(annotation: Any) -> None:
    schema = dict(read(annotated(annotation)).schema)
    fitting = {list[Point]: [{"x": 1}], list[str]: ["a"], list[list[float]]: [[1]], list[float]: [1], list: [None]}
    rows = next(rows for kind, rows in fitting.items() if kind == annotation)
    assert jsonschema_rs.is_valid(schema, {"instances": rows, "configuration": {}})
    assert not jsonschema_rs.is_valid(schema, {"instances": 1})
    assert not jsonschema_rs.is_valid(schema, {"instances": rows, "more": 1})


def test_the_schema_of_a_record_with_such_a_field_is_its_own() -> None:
    schema = dict(read(annotated(list[Cluster])).schema)
    assert not jsonschema_rs.is_valid(schema, {"instances": [{"instances": [{"a": 1}]}]})


def test_lists_of_lists_are_rows_and_flat_ones_perhaps_not() -> None:
    annotations: list[Any] = [list[list[int]], list[tuple[int, int]], list[int], list[int | list[int]], list]
    specs = [read(annotated(annotation)) for annotation in annotations]
    assert {spec.kind for spec in specs} == {InputKind.LIST}
    assert [spec.is_nested for spec in specs] == [True, True, False, False, False]
