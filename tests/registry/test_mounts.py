from pathlib import Path

from argosy.registry.mounts import Mounts

DIGEST = "sha256:" + "a" * 64


def test_the_latest_repository_is_first_and_each_registry_has_its_own(tmp_path: Path) -> None:
    mounts = Mounts(tmp_path, "r.example:5000")
    assert mounts.repositories(DIGEST) == []
    for name in ("a", "b/c", "a", "d", "e", "f"):
        mounts.remember(DIGEST, name)
    assert mounts.repositories(DIGEST) == ["f", "e", "d", "b/c"]
    assert Mounts(tmp_path, "r.example").repositories(DIGEST) == []


def test_a_damaged_note_is_none(tmp_path: Path) -> None:
    mounts = Mounts(tmp_path, "r.example")
    mounts.remember(DIGEST, "a")
    (note,) = (path for path in tmp_path.rglob("*") if path.is_file())
    note.write_bytes(b"\xff\xff")
    assert mounts.repositories(DIGEST) == []
