import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import InvalidReferenceError
from argosy.image.reference import (
    ArchiveReference,
    DaemonReference,
    LayoutReference,
    Reference,
    RegistryReference,
    parse,
)

COMPONENTS = st.from_regex(r"[a-z0-9]+([._-][a-z0-9]+)*", fullmatch=True)
REPOSITORIES = st.lists(COMPONENTS, min_size=1, max_size=3).map("/".join)
TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)
DIGESTS = st.from_regex(r"sha256:[0-9a-f]{64}", fullmatch=True)
HOSTS = st.sampled_from(["localhost", "127.0.0.1:5000", "123456789012.dkr.ecr.us-east-1.amazonaws.com", "a.b:443"])
PATHS = st.text(st.characters(exclude_characters=":\0", codec="utf-8"), min_size=1)
NAMES = st.builds(lambda name, tag: f"{name}:{tag}" if tag else name, REPOSITORIES, st.none() | TAGS)
REGISTRY = st.builds(RegistryReference, HOSTS, REPOSITORIES, TAGS, st.none() | DIGESTS)
REFERENCES = st.one_of(
    st.builds(LayoutReference, PATHS, st.none() | TAGS),
    st.builds(ArchiveReference, PATHS, st.none() | NAMES),
    st.builds(DaemonReference, NAMES | DIGESTS, st.sampled_from([None, "podman"])),
    REGISTRY,
)


@given(REFERENCES)
def test_a_reference_and_its_text_are_the_same(reference: Reference) -> None:
    assert parse(str(reference)) == reference


@given(st.text())
def test_any_other_text_is_refused_with_a_sentence(text: str) -> None:
    try:
        assert parse(str(parse(text))) == parse(text)
    except InvalidReferenceError as error:
        assert error.hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("docker://debian", RegistryReference("docker.io", "library/debian", "latest")),
        ("docker://user/image:1", RegistryReference("docker.io", "user/image", "1")),
        ("docker://localhost/image", RegistryReference("localhost", "image", "latest")),
        ("docker://quay.io/a/b@sha256:" + "0" * 64, RegistryReference("quay.io", "a/b", None, "sha256:" + "0" * 64)),
        ("oci:a/b", LayoutReference("a/b")),
        ("docker-archive:x.tar:h:5000/a:1", ArchiveReference("x.tar", "h:5000/a:1")),
        ("docker-daemon:python:3.11-slim", DaemonReference("python:3.11-slim")),
        ("containers-storage:localhost/a:1", DaemonReference("localhost/a:1", "podman")),
    ],
)
def test_the_usual_names(text: str, expected: Reference) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "debian", "docker:debian", "docker://", "docker://Upper/Case", "docker://h:1/a:", "oci:", "oci::tag",
     "oci:d:a/b", "docker-archive:", "docker-daemon:UPPER", "ftp://x", "docker://h.x/a@sha256:12", "docker://../a",
     "containers-storage:[overlay@/x]a"],
)  # fmt: skip
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(InvalidReferenceError):
        parse(text)


@given(REGISTRY)
def test_a_digest_wins_over_the_tag(reference: RegistryReference) -> None:
    assert reference.manifest == (reference.digest or reference.tag)
