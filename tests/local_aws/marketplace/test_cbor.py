import math
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.parsers import RpcV2CBORParser
from hypothesis import given
from hypothesis import strategies as st

from argosy.local_aws.marketplace import cbor

SCALARS = (
    st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(max_size=40)
)


def nested(scalars: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=30), inner, max_size=5),
        max_leaves=20,
    )


def botocores(encoded: bytes) -> Any:
    parser = RpcV2CBORParser()
    return parser.parse_data_item(parser.get_peekable_stream_from_bytes(encoded))


@given(nested(SCALARS | st.none()))
def test_what_is_written_is_read_as_it_was(value: Any) -> None:
    assert cbor.decode(cbor.encode(value)) == value


@given(nested(SCALARS))  # botocore leaves out a member that is null
def test_botocore_reads_what_is_written(value: Any) -> None:
    assert botocores(cbor.encode(value)) == value


def test_a_time_is_one_for_botocore() -> None:
    moment = datetime(2026, 11, 23, 8, 0, 0, 500_000, tzinfo=UTC)
    assert botocores(cbor.encode({"at": moment})) == {"at": moment}
    assert cbor.decode(cbor.encode({"at": moment})) == {"at": moment.timestamp()}


@pytest.mark.parametrize(
    ("encoded", "value"),
    [
        ("9f0102ff", [1, 2]),
        ("bf616101ff", {"a": 1}),
        ("7f6161617aff", "az"),
        ("5f41004101ff", b"\x00\x01"),
        ("f93c00", 1.0),
        ("fa3f800000", 1.0),
        ("f7", None),
        ("c11a65000000", 1694498816),
        ("1bffffffffffffffff", 2**64 - 1),
    ],
)
def test_forms_that_are_not_written_are_read(encoded: str, value: Any) -> None:
    assert cbor.decode(bytes.fromhex(encoded)) == value


@pytest.mark.parametrize(
    "encoded",
    ["", "18", "6261", "61ff", "a10102", "9f01", "ff", "1c", "f8", "0001", "7f4161ff", "81" * 100 + "00", "e0"],
)
def test_what_is_malformed_is_refused(encoded: str) -> None:
    with pytest.raises(cbor.MalformedError):
        cbor.decode(bytes.fromhex(encoded))


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(encoded: bytes) -> None:
    try:
        cbor.decode(encoded)
    except cbor.MalformedError as error:
        assert str(error)


def test_a_number_of_more_than_64_bits_is_not_written() -> None:
    with pytest.raises(cbor.MalformedError, match="64 bits"):
        cbor.encode(2**64)
    assert math.isinf(cbor.decode(cbor.encode(math.inf)))
