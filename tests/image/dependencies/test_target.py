import pytest

from argosy.errors import UsageError
from argosy.image.dependencies.target import Host, marker_environment, tags


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("arm64", Host("linux", "arm64")),
        ("linux/amd64", Host("linux", "amd64")),
        ("darwin/arm64", Host("darwin", "arm64")),
    ],
)
def test_a_host_is_named_as_images_are(text: str, host: Host) -> None:
    assert Host.parse(text) == host
    assert Host.parse(str(host)) == host


@pytest.mark.parametrize("text", ["", "mips", "linux/", "beos/amd64", "linux/amd64/v2"])
def test_what_is_no_platform_is_an_error(text: str) -> None:
    with pytest.raises(UsageError, match="not a platform"):
        Host.parse(text)


def test_only_the_images_own_platform_compiles_for_it() -> None:
    assert Host("linux", "amd64").compiles_for_image
    assert not Host("linux", "arm64").compiles_for_image
    assert not Host("darwin", "amd64").compiles_for_image


def test_tags_and_markers_are_the_images() -> None:
    assert str(tags("3.12")[0]) == "cp312-cp312-manylinux_2_28_x86_64"
    assert not any("aarch64" in tag.platform or "macos" in tag.platform for tag in tags("3.12"))
    assert marker_environment("3.12")["python_full_version"] == "3.12.0"
