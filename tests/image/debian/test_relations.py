"""Relationships and version comparisons, held against dpkg itself."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.image.debian.relations import Relation, parse_relations

PART = st.text(alphabet="0123456789abcz.+~", max_size=6)
VERSIONS = st.builds(
    lambda epoch, first, rest, revision: f"{epoch}{first}{rest}{revision}",
    st.sampled_from(["", "0:", "1:"]),
    st.integers(0, 20).map(str),
    PART,
    st.one_of(st.just(""), st.builds("-{}{}".format, st.integers(0, 12), PART)),
)
OPERATORS = {"<<": "lt-nl", "<=": "le-nl", "=": "eq", ">=": "ge-nl", ">>": "gt-nl"}


def test_a_field_is_clauses_of_alternatives() -> None:
    text = "libc6 (>= 2.36), awk:any | mawk [amd64], perl:any (<< 6~) <!nocheck>,"
    assert parse_relations(text) == [
        [Relation("libc6", ">=", "2.36")],
        [Relation("awk"), Relation("mawk")],
        [Relation("perl", "<<", "6~")],
    ]
    assert parse_relations("") == []


@settings(max_examples=60)
@given(VERSIONS, VERSIONS, st.sampled_from(sorted(OPERATORS)))
def test_versions_compare_as_dpkg_compares_them(one: str, other: str, comparison: str) -> None:
    done = subprocess.run(["dpkg", "--compare-versions", one, OPERATORS[comparison], other], capture_output=True)
    assert done.returncode in (0, 1)
    assert Relation("a", comparison, other).fits(one) is (done.returncode == 0)


@given(VERSIONS, VERSIONS)
def test_exactly_one_order_holds_between_two_versions(one: str, other: str) -> None:
    assert sum(Relation("a", comparison, other).fits(one) for comparison in ("<<", "=", ">>")) == 1


@pytest.mark.parametrize(("relation", "fits"), [(Relation("a"), True), (Relation("a", "=", "1"), False)])
def test_a_virtual_package_without_a_version_fits_only_where_none_is_asked_for(relation: Relation, fits: bool) -> None:
    assert relation.fits(None) is fits
