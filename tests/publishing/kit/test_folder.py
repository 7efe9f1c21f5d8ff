import contextlib
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.errors import UsageError
from argosy.publishing.kit.folder import RECORD, write

FIRST = {"README.md": b"one", "samples/a.csv": b"1", "samples/old/b.csv": b"2"}
SECOND = {"README.md": b"two", "samples/a.csv": b"1", "client.py": b"new"}


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != RECORD
    }


def test_a_new_folder_has_all_files(tmp_path: Path) -> None:
    assert write(FIRST, tmp_path / "made/kit") == sorted(FIRST)
    assert content(tmp_path / "made/kit") == FIRST


def test_the_same_again_changes_nothing(tmp_path: Path) -> None:
    write(FIRST, tmp_path / "kit")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "kit").rglob("*.csv")}
    assert write(FIRST, tmp_path / "kit") == []
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "kit").rglob("*.csv")} == before


def test_a_later_kit_replaces_and_removes_its_own_files_alone(tmp_path: Path) -> None:
    folder = tmp_path / "kit"
    write(FIRST, folder)
    (folder / "LICENSE").write_bytes(b"theirs")
    assert write(SECOND, folder) == ["README.md", "client.py", "samples/old/b.csv"]
    assert content(folder) == {**SECOND, "LICENSE": b"theirs"}
    assert not (folder / "samples/old").exists()


def test_what_was_changed_by_hand_is_kept_unless_it_is_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "kit"
    write(FIRST, folder)
    (folder / "README.md").write_bytes(b"mine")
    (folder / "samples/old/b.csv").write_bytes(b"mine, too")
    with pytest.raises(UsageError, match=r"not as `argosy kit` wrote them: got `README.md`"):
        write(SECOND, folder)
    assert (folder / "README.md").read_bytes() == b"mine"
    assert not (folder / "client.py").exists()
    write(SECOND, folder, overwrite=True)
    assert (folder / "README.md").read_bytes() == b"two"
    assert (folder / "samples/old/b.csv").read_bytes() == b"mine, too"


def test_a_file_that_no_kit_wrote_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_bytes(b"theirs")
    with pytest.raises(UsageError, match="not as `argosy kit` wrote them"):
        write(FIRST, tmp_path)
    (tmp_path / "README.md").write_bytes(FIRST["README.md"])
    write(FIRST, tmp_path)
    assert content(tmp_path) == FIRST


@pytest.mark.parametrize("moment", range(6))
def test_a_write_that_is_killed_at_any_moment_is_gone_on_with(
    moment: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kit"
    write(FIRST, folder)
    replace, count = Path.replace, 0

    def killed(path: Path, target: Path) -> Path:
        nonlocal count
        count += 1
        if count > moment:
            raise KeyboardInterrupt
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", killed)
    with contextlib.suppress(KeyboardInterrupt):
        write(SECOND, folder)
    monkeypatch.undo()
    write({**SECOND, "README.md": b"three"}, folder)
    assert content(folder) == {**SECOND, "README.md": b"three"}


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    folder, outside = tmp_path / "kit", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (folder / "samples").symlink_to(outside)
    for overwrite in (False, True):
        with pytest.raises(UsageError, match="leads out of it"):
            write(FIRST, folder, overwrite=overwrite)
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("record", ["", "[]", '{"files": 1}', '{"files": {"../victim": ["sha256:x"]}}'])
def test_a_damaged_record_makes_nothing_ours(record: str, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"x")
    write(FIRST, tmp_path / "kit")
    (tmp_path / "kit" / RECORD).write_text(record)
    write(FIRST, tmp_path / "kit")
    assert victim.read_bytes() == b"x"


files = st.dictionaries(st.sampled_from(["a", "b", "c/d", "c/e", "f/g/h"]), st.binary(max_size=3), min_size=1)


@settings(deadline=None, max_examples=30)  # a disk may be slow
@given(st.lists(files, min_size=1, max_size=4))
def test_the_last_kit_is_what_is_there(kits: list[dict[str, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "kit"
        for one in kits:
            write(one, folder)
        assert content(folder) == kits[-1]
        assert set(json.loads((folder / RECORD).read_text())["files"]) == set(kits[-1])
