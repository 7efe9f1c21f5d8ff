import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import TransformError, UsageError
from argosy.simulator.transform.json_path import JsonPath, SliceEnd, check_operators, parse

IN, OUT = SliceEnd.INCLUSIVE, SliceEnd.EXCLUSIVE
ROW = [b"0", b"1", b"2", b"3", b"4", b"5"]
DOCUMENT = b'{"id": 1.50, "a": {"b": [1, {"c": 2e3}], "d": null}, "field1": {"child1": 1, "child2": "x", "n": 0}}'


def row(path: str, end: SliceEnd = IN) -> str:
    return b"".join(parse(path).of_row(ROW, end)).decode()


def selected(path: str, document: bytes = DOCUMENT) -> bytes:
    return bytes(parse(path).of_json(msgspec.Raw(document), IN))


@pytest.mark.parametrize(
    ("path", "inclusive", "exclusive"),
    [
        ("$", "012345", "012345"),
        ("$[1]", "1", "1"),
        ("$[1,3,5]", "135", "135"),
        ("$[ 1 , 3 ]", "13", "13"),
        ("$[-1]", "5", "5"),
        ("$[0,-1]", "05", "05"),
        ("$[1:]", "12345", "12345"),
        ("$[5:]", "5", "5"),
        ("$[1:4]", "1234", "123"),
        ("$[:5]", "012345", "01234"),
        ("$[2:5]", "2345", "234"),
        ("$[:-1]", "012345", "01234"),
        ("$[:-2]", "01234", "0123"),
        ("$[-2:]", "45", "45"),
        ("$[4:99]", "45", "45"),
        ("$[*]", "012345", "012345"),
        ("$.*", "012345", "012345"),
        ("$*", "012345", "012345"),
    ],
)
def test_columns(path: str, inclusive: str, exclusive: str) -> None:
    assert row(path, IN) == inclusive
    assert row(path, OUT) == exclusive


@pytest.mark.parametrize("path", ["$[6]", "$[-7]", "$[0,6]"])
def test_an_index_outside_of_the_row_is_an_error(path: str) -> None:
    with pytest.raises(TransformError, match="outside of 6 elements"):
        row(path)


@pytest.mark.parametrize("path", ["$.id", "$['id']", "$[0][0]", "$.*.a"])
def test_names_are_nothing_for_csv(path: str) -> None:
    with pytest.raises(TransformError, match="only index based paths"):
        row(path)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", DOCUMENT),
        ("$.id", b"1.50"),
        ("$['id']", b"1.50"),
        ("$.a.b[1].c", b"2e3"),
        ("$.a.b[-1]['c']", b"2e3"),
        ("$['field1'].child2", b'"x"'),
        ("$.field1.['child1','child2']", b'{"child1":1,"child2":"x"}'),
        ("$['id','missing']", b'{"id":1.50}'),
        ("$.field1.*", b'[1,"x",0]'),
        ("$.a.b[0,1]", b'[1,{"c": 2e3}]'),
        ("$.a.b[0:0]", b"[1]"),
        ("$.a.b[:]", b'[1,{"c": 2e3}]'),
        ("$.a.d", b"null"),
    ],
)
def test_attributes_keep_every_byte(path: str, found: bytes) -> None:
    assert selected(path) == found


@pytest.mark.parametrize("path", ["$.missing", "$.id.x", "$.a[0]", "$.a.b[2]", "$.id[*]", "$.a.b.c"])
def test_what_is_not_there_is_an_error(path: str) -> None:
    with pytest.raises(TransformError, match="No results for JsonPath"):
        selected(path)


@pytest.mark.parametrize(
    "path", ["", "id", "$[0", "$..a", "$[a]", "$['a]", "$[1,'a']", "$.", "$[]", "$[?(@.a)]", "$[1:2:3]"]
)
def test_what_is_no_path_is_told(path: str) -> None:
    with pytest.raises(TransformError, match="Invalid JsonPath"):
        parse(path)


def test_the_service_s_words_for_two_ranges() -> None:
    with pytest.raises(TransformError) as raised:
        parse("$[0:2,246:]")
    assert raised.value.message == (
        "Invalid JsonPath: $[0:2,246:]: only single range filters of format (eg: [1:5]) are supported. "
        "Format [0:2,246:] is not supported"
    )


def test_the_api_s_own_example_is_not_accepted_as_on_the_service() -> None:
    with pytest.raises(TransformError, match="only single range filters"):
        parse("$[0,5:]")


def test_the_service_s_words_for_an_operator_that_it_does_not_know() -> None:
    with pytest.raises(UsageError) as raised:
        check_operators("OutputFilter", "$['account_id','SageMakerOutput']", "application/jsonlines", names=True)
    assert raised.value.message == (
        "Invalid OutputFilter: \"$['account_id','SageMakerOutput']\". Unexpected \"_\" in JsonPath. "
        "Supported operators for \"application/jsonlines\" are ['$', '[', ']', '*', '.', ' ', ',', ':', '-', ''']"
    )


def test_names_are_no_operators_for_csv() -> None:
    check_operators("InputFilter", "$[0, -1]", "text/csv", names=False)
    with pytest.raises(UsageError, match='Unexpected "i" in JsonPath'):
        check_operators("InputFilter", "$.id", "text/csv", names=False)


def test_closed_slices_are_known() -> None:
    assert [parse(path).has_closed_slice for path in ("$[1:]", "$[:]", "$[1:2]", "$.a[:3]", "$[1]")] == [
        False, False, True, True, False,
    ]  # fmt: skip


@given(st.text("$.[]*,:-' 01ab", max_size=20))
def test_any_text_is_a_path_or_refused(text: str) -> None:
    try:
        path = parse(text)
    except TransformError:
        return
    assert isinstance(path, JsonPath)
    for end in SliceEnd:
        try:
            assert set(path.of_row(ROW, end)) <= set(ROW)
            msgspec.json.decode(path.of_json(msgspec.Raw(b'{"a": [0, {"b": 1}], "0": []}'), end))
        except TransformError:
            pass
