import itertools

import pytest

from argosy.image.debian.version import sort_key

ORDER = ["0", "0.9~~", "0.9~", "0.9", "0.9-1", "0.9-1+b1", "0.9-1.1", "0.9a", "0.9+dfsg", "0.10", "1.0~rc1-1",
         "1.0-1~deb12u1", "1.0-1", "1.0-1+deb12u2", "1.0-1+deb12u10", "1.0.1-1", "2:0.1"]  # fmt: skip


def test_versions_are_in_dpkgs_order() -> None:
    for lower, higher in itertools.combinations(ORDER, 2):
        assert sort_key(lower) < sort_key(higher), (lower, higher)


@pytest.mark.parametrize(("one", "other"), [("1.0", "1.0-0"), ("0:1.0", "1.0"), ("1.00", "1.0")])
def test_versions_that_are_equal(one: str, other: str) -> None:
    assert sort_key(one) == sort_key(other)
