from pathlib import Path

import msgspec
import pytest

from argosy.errors import ProjectError
from argosy.publishing.description import stored
from tests.publishing.description.described import DIGEST, description, flowers

OTHER = "sha256:" + "e" * 64


def test_a_description_is_kept_by_the_images_digest_and_out_of_git(tmp_path: Path) -> None:
    path = stored.keep(tmp_path, description())
    assert path == tmp_path / ".argosy/descriptions" / f"{DIGEST.replace(':', '-')}.json"
    assert (tmp_path / ".argosy/.gitignore").read_text() == "*\n"
    assert stored.find(tmp_path, DIGEST) == description()
    assert stored.find(tmp_path, OTHER) is None
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_no_digest_leads_out_of_the_folder(tmp_path: Path) -> None:
    path = stored.keep(tmp_path, description(digest="../../evil"))
    assert path.parent == tmp_path / ".argosy/descriptions"


def test_a_project_is_sold_as_its_image_was_described(tmp_path: Path) -> None:
    project = flowers(tmp_path / "flowers")
    assert stored.as_sold(project, DIGEST) is project
    stored.keep(project.root, description())
    stored.keep(project.root, description(digest=OTHER, speed="3 ms", made_at="2026-11-24T08:00:00+00:00"))
    speeds = []
    for digest in (DIGEST, OTHER, None):
        table = stored.as_sold(project, digest).marketplace
        assert table is not None
        speeds.append(table.listing.speed)
    assert speeds == ["2 ms", "3 ms", "3 ms"]
    unsold = msgspec.structs.replace(project, marketplace=None)
    assert stored.as_sold(unsold, DIGEST) is unsold


@pytest.mark.parametrize("content", [b"{", b'{"version": 1}', msgspec.json.encode(description(version=2))])
def test_a_file_that_cannot_be_read_is_said_to_be_safe_to_remove(tmp_path: Path, content: bytes) -> None:
    path = stored.keep(tmp_path, description())
    path.write_bytes(content)
    with pytest.raises(ProjectError, match="what is known of the image cannot be read") as refused:
        stored.find(tmp_path, DIGEST)
    assert refused.value.hint is not None
    assert refused.value.hint.startswith(f"rm {path}")
