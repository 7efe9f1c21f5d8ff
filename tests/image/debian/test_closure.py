from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import ImageError
from argosy.image.debian.closure import Installed, closure
from argosy.image.debian.packages import Index
from argosy.image.debian.relations import Relation, parse_relations
from tests.image.debian.archives import stanza

PACKAGES = [
    stanza("app", Depends="libone (>= 1.0), libtwo:any | libthree, virtual", Pre_Depends="first"),
    stanza("first"),
    stanza("libone", Depends="app, debconf (>= 0.5) | debconf-2.0"),
    stanza("libthree"),
    stanza("provider", Provides="other, virtual (= 1)"),
    stanza("script", Depends="python"),
    stanza("debconf"),
    stanza("dpkg"),
    stanza("perl", Depends="perl-base (= 1.0), perl-modules, dpkg (>= 1.0)"),
    stanza("perl-base", Pre_Depends="dpkg (>= 1.0)"),
    stanza("perl-modules", Depends="perl-base (>= 1.0)"),
    stanza("dpkg-dev", Depends="dpkg (= 1.0)"),
    stanza("strict", Depends="first (= 2.0)"),
    stanza("quarrelsome", Conflicts="first", Provides="first-like"),
]


def index(*stanzas: bytes) -> Index:
    found = Index()
    found.add("https://here", stanzas or PACKAGES)
    return found


def names(*wanted: str, installed: Sequence[Installed] = (), found: Index | None = None) -> list[str]:
    relations = [relation for text in wanted for (relation,) in parse_relations(text)]
    return [package.name for package in closure(relations, found or index(), installed)]


def test_a_package_brings_all_that_it_needs_but_what_only_scripts_need() -> None:
    assert names("app") == ["app", "first", "libone", "libthree", "provider"]
    assert names("debconf") == ["debconf"]


def test_perl_is_a_need_like_any_other_and_left_out_only_where_the_caller_says_so() -> None:
    assert names("perl") == ["perl", "perl-base", "perl-modules"]
    without = closure([Relation("perl-modules")], index(), unneeded=frozenset({"perl-base"}))
    assert [package.name for package in without] == ["perl-modules"]


def test_what_is_needed_in_one_exact_version_is_never_left_out() -> None:
    assert names("dpkg-dev") == ["dpkg", "dpkg-dev"]


def test_what_is_installed_is_not_brought_again() -> None:
    there = [Installed("libone", "1.5"), Installed("libtwo", "1"), Installed("another", "3", provides="virtual")]
    assert names("app", installed=there) == ["app", "first"]
    assert names("libone", installed=there) == []


@pytest.mark.parametrize(
    ("wanted", "there", "match"),
    [
        ("absent", (), "no such package.*absent"),
        ("script", (), "`script` needs what Debian does not have: got python"),
        ("first (= 9)", (), r"version that Debian does not have: got 1\.0"),
        ("strict", (), "version that Debian does not have"),
        ("strict", (Installed("first", "1.9"),), r"got first 1\.9, want first \(= 2\.0\)"),
        ("first (= 1.0)", (Installed("first", "1.9"),), r"`system_packages` asks for another version"),
        ("quarrelsome", (Installed("first", "1.9"),), "quarrelsome 1.0 and first 1.9"),
        ("first", (Installed("guard", "1", excludes="first (<< 2)"),), "guard 1 and first 1.0"),
    ],
)
def test_what_cannot_be_is_an_error(wanted: str, there: Sequence[Installed], match: str) -> None:
    with pytest.raises(ImageError, match=match):
        names(wanted, installed=there)


def test_what_quarrelled_in_the_base_image_before_is_not_our_affair() -> None:
    there = [Installed("one", "1", excludes="two"), Installed("two", "1")]
    assert names("first", installed=there) == ["first"]


def test_a_package_may_exclude_what_it_provides_itself() -> None:
    found = index(stanza("mail", Provides="agent", Conflicts="agent"))
    assert names("mail", found=found) == ["mail"]


NAMES = [f"p{number}" for number in range(8)]
GRAPHS = st.fixed_dictionaries({name: st.sets(st.sampled_from(NAMES), max_size=3) for name in NAMES})


@given(GRAPHS, st.sets(st.sampled_from(NAMES), min_size=1), st.sets(st.sampled_from(NAMES)))
def test_together_with_what_is_installed_everything_needed_is_there_and_nothing_else(
    graph: dict[str, set[str]], wanted: set[str], there: set[str]
) -> None:
    found = index(*(stanza(name, Depends=", ".join(sorted(needs)) or "p0") for name, needs in graph.items()))
    needs = {name: graph[name] or {"p0"} for name in NAMES}
    brought = [one.name for one in closure(map(Relation, wanted), found, [Installed(name, "1.0") for name in there])]
    reachable: set[str] = set()
    rest = list(wanted)
    while rest:
        name = rest.pop()
        if name not in there and name not in reachable:
            reachable.add(name)
            rest += needs[name]
    assert brought == sorted(reachable)
