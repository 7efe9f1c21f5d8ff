import gzip
import hashlib
import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy import model_archive
from argosy.contract import Level
from argosy.errors import ArchiveError
from argosy.model_archive import FaultKind

NAMES = st.text(st.characters(categories=["L", "N"], include_characters="._-"), min_size=1, max_size=20).filter(
    lambda name: name not in (".", "..") and not name.startswith("._") and name not in ("__pycache__", ".DS_Store")
)
CONTENTS = st.dictionaries(st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.binary(max_size=200), min_size=1)


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def read(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def archive_of(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def member(
    name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644
) -> tuple[tarfile.TarInfo, bytes]:
    found = tarfile.TarInfo(name)
    found.type, found.linkname, found.mode = kind, link, mode
    return found, b"content" if kind == tarfile.REGTYPE else b""


def compatible(files: dict[str, bytes]) -> bool:
    """Whether a filesystem can hold these names at once: none is a folder of another, even on macOS."""
    lower = [name.lower() for name in files]
    return len(set(lower)) == len(lower) and not any(
        one != other and other.startswith(f"{one}/") for one in lower for other in lower
    )


def test_the_same_files_give_the_same_bytes_wherever_and_whenever_they_are(tmp_path: Path) -> None:
    one = write(tmp_path / "one", {"a/model.bin": b"1", "b.txt": b"2", "Z": b"3"})
    other = write(tmp_path / "other" / "deeper", {"Z": b"3", "b.txt": b"2", "a/model.bin": b"1"})
    os.utime(other / "Z", (1, 1))
    (other / "b.txt").chmod(0o600)
    digest = model_archive.pack(one, tmp_path / "one.tar.gz")
    assert model_archive.pack(other, tmp_path / "other.tar.gz") == digest
    content = (tmp_path / "one.tar.gz").read_bytes()
    assert content == (tmp_path / "other.tar.gz").read_bytes()
    assert digest == f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_members_lie_at_the_root_sorted_with_plain_modes_and_no_time(tmp_path: Path) -> None:
    folder = write(tmp_path / "model", {"code/run.sh": b"#!/bin/sh\n", "model.bin": b"1"})
    (folder / "code/run.sh").chmod(0o700)
    model_archive.pack(folder, tmp_path / "model.tar.gz")
    with tarfile.open(tmp_path / "model.tar.gz") as archive:
        found = [(m.name, oct(m.mode), m.mtime, m.uid, m.gid, m.uname) for m in archive]
    assert found == [
        ("code", "0o755", 0, 0, 0, ""),
        ("code/run.sh", "0o755", 0, 0, 0, ""),
        ("model.bin", "0o644", 0, 0, 0, ""),
    ]
    assert (tmp_path / "model.tar.gz").read_bytes()[:10] == bytes.fromhex("1f8b0800000000000 0ff".replace(" ", ""))


def test_litter_is_left_out(tmp_path: Path) -> None:
    litter = {"._model.bin": b"", ".DS_Store": b"", "__MACOSX/x": b"", "code/__pycache__/a.pyc": b""}
    folder = write(tmp_path / "model", {"model.bin": b"1", ".hidden": b"kept", **litter})
    model_archive.pack(folder, tmp_path / "model.tar.gz")
    model_archive.unpack(tmp_path / "model.tar.gz", tmp_path / "out")
    assert read(tmp_path / "out") == {"model.bin": b"1", ".hidden": b"kept"}


@pytest.mark.parametrize("make", [lambda p: p.symlink_to("model.bin"), lambda p: p.symlink_to("/etc"), os.mkfifo])
def test_what_sagemaker_would_not_unpack_is_not_packed(tmp_path: Path, make: Callable[[Path], None]) -> None:
    folder = write(tmp_path / "model", {"model.bin": b"1"})
    make(folder / "odd")
    with pytest.raises(ArchiveError, match="odd"):
        model_archive.pack(folder, tmp_path / "model.tar.gz")
    assert not (tmp_path / "model.tar.gz").exists()


def test_an_empty_folder_is_not_packed(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    with pytest.raises(ArchiveError, match="no file"):
        model_archive.pack(tmp_path / "model", tmp_path / "model.tar.gz")


def test_an_archive_does_not_contain_itself(tmp_path: Path) -> None:
    folder = write(tmp_path / "model", {"model.bin": b"1"})
    with pytest.raises(ArchiveError, match="contain itself"):
        model_archive.pack(folder, folder / "model.tar.gz")


def test_a_failed_pack_keeps_the_former_archive_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    folder = write(tmp_path / "model", {"model.bin": b"1"})
    (tmp_path / "out").mkdir()
    archive = tmp_path / "out/model.tar.gz"
    model_archive.pack(folder, archive)
    before = archive.read_bytes()
    (folder / "link").symlink_to("model.bin")
    with pytest.raises(ArchiveError):
        model_archive.pack(folder, archive)
    assert read(tmp_path / "out") == {"model.tar.gz": before}


@given(CONTENTS.filter(compatible))
@settings(max_examples=50, deadline=None)
def test_unpacking_gives_back_what_was_packed(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "model", files)
        model_archive.pack(folder / "model", folder / "model.tar.gz")
        model_archive.unpack(folder / "model.tar.gz", folder / "out")
        assert read(folder / "out") == files
        assert [
            fault for fault in model_archive.lint(folder / "model.tar.gz").faults if fault.level is Level.MUST
        ] == []


UNSAFE = {
    "absolute": member("/etc/passwd"),
    "parent": member("../outside"),
    "parent inside": member("a/../../outside"),
    "symbolic link": member("link", tarfile.SYMTYPE, "model.bin"),
    "hard link": member("link", tarfile.LNKTYPE, "model.bin"),
    "device": member("null", tarfile.CHRTYPE),
    "pipe": member("pipe", tarfile.FIFOTYPE),
}


@pytest.mark.parametrize("unsafe", UNSAFE.values(), ids=UNSAFE)
def test_an_unsafe_member_is_found_and_not_unpacked(tmp_path: Path, unsafe: tuple[tarfile.TarInfo, bytes]) -> None:
    archive = archive_of(tmp_path / "model.tar.gz", member("model.bin"), unsafe)
    assert [(fault.member, fault.level) for fault in model_archive.lint(archive).faults] == [
        (unsafe[0].name, Level.MUST)
    ]
    with pytest.raises(ArchiveError, match=r"`.*`: "):
        model_archive.unpack(archive, tmp_path / "in/out")
    assert read(tmp_path / "in") == {}
    assert not (tmp_path / "outside").exists()


@given(st.lists(st.lists(st.sampled_from(["..", ".", "", "a", "b"]), max_size=4).map("/".join), max_size=5))
@settings(max_examples=100, deadline=None)
def test_no_name_leads_out_of_the_folder(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = archive_of(folder / "model.tar.gz", *(member(n) for n in names))
        try:
            model_archive.unpack(archive, folder / "in/out")
        except (ArchiveError, OSError):
            assert read(folder / "in") == {}
        assert set(read(folder)) <= {"model.tar.gz", *(f"in/out/{path}" for path in read(folder / "in/out"))}


def test_unpacking_does_not_mix_with_what_is_there(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "model.tar.gz", member("model.bin"))
    write(tmp_path / "out", {"other": b""})
    with pytest.raises(ArchiveError, match="not empty"):
        model_archive.unpack(archive, tmp_path / "out")
    (tmp_path / "empty").mkdir()
    model_archive.unpack(archive, tmp_path / "empty")
    assert read(tmp_path / "empty") == {"model.bin": b"content"}


@pytest.mark.parametrize("cut", [5, 60, -10])
def test_half_an_archive_is_an_error_and_leaves_nothing(tmp_path: Path, cut: int) -> None:
    folder = write(tmp_path / "model", {"model.bin": os.urandom(5000)})
    model_archive.pack(folder, tmp_path / "model.tar.gz")
    (tmp_path / "model.tar.gz").write_bytes((tmp_path / "model.tar.gz").read_bytes()[:cut])
    assert [fault.level for fault in model_archive.lint(tmp_path / "model.tar.gz").faults] == [Level.MUST]
    with pytest.raises(ArchiveError):
        model_archive.unpack(tmp_path / "model.tar.gz", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def faults(archive: Path) -> set[tuple[str, str]]:
    return {(fault.member, fault.level.value) for fault in model_archive.lint(archive).faults}


def test_lint_finds_an_extra_top_folder(tmp_path: Path) -> None:
    archive = archive_of(
        tmp_path / "model.tar.gz", member("model", tarfile.DIRTYPE, mode=0o755), member("model/a"), member("model/b/c")
    )
    assert faults(archive) == {("model", "SHOULD")}
    assert faults(archive_of(tmp_path / "model.tar.gz", member("a"), member("b"))) == set()


def test_lint_finds_every_fault_and_not_only_the_first(tmp_path: Path) -> None:
    archive = archive_of(
        tmp_path / "model.tgz",
        member("secret", mode=0o600),
        member("._litter"),
        member("twice"),
        member("twice"),
        member("/absolute"),
        member("link", tarfile.SYMTYPE, "x"),
    )
    assert faults(archive) == {
        ("", "MUST"),
        ("secret", "SHOULD"),
        ("._litter", "INFO"),
        ("twice", "SHOULD"),
        ("/absolute", "MUST"),
        ("link", "MUST"),
    }


def test_lint_says_what_a_fault_is_about_and_how_large_the_archive_is(tmp_path: Path) -> None:
    kinds = {
        "top/secret": (member("top/secret", mode=0o600), FaultKind.MODE),
        "top/._litter": (member("top/._litter"), FaultKind.LITTER),
        "top/link": (member("top/link", tarfile.SYMTYPE, "x"), FaultKind.FORM),
        "top/model.bin": (member("top/model.bin"), FaultKind.TWICE),
        "top": (member("top/model.bin"), FaultKind.TOP_FOLDER),
    }
    found = model_archive.lint(archive_of(tmp_path / "model.tar.gz", *(one for one, _ in kinds.values())))
    assert {fault.member: fault.kind for fault in found.faults} == {name: kind for name, (_, kind) in kinds.items()}
    assert found.unpacked_bytes == 4 * len(b"content")


def test_lint_wants_gzip_and_a_file(tmp_path: Path) -> None:
    plain = tmp_path / "plain.tar.gz"
    plain.write_bytes(b"PK\x03\x04")
    assert faults(plain) == {("", "MUST")}
    empty = archive_of(tmp_path / "empty.tar.gz")
    assert faults(empty) == {("", "MUST")}
    not_tar = tmp_path / "text.tar.gz"
    not_tar.write_bytes(gzip.compress(b"not a tar" * 1000))
    assert faults(not_tar) == {("", "MUST")}


@pytest.mark.parametrize("is_folder", [False, True])
def test_the_hint_about_a_link_can_be_pasted(tmp_path: Path, is_folder: bool) -> None:
    folder = tmp_path / "my model"
    folder.mkdir()
    target = tmp_path / "the target"
    if is_folder:
        target.mkdir()
        (target / "weights").write_text("1")
    else:
        target.write_text("1")
    (folder / "a link").symlink_to(target)
    with pytest.raises(ArchiveError) as caught:
        model_archive.pack(folder, tmp_path / "model.tar.gz")
    subprocess.run(["sh", "-c", str(caught.value.hint).partition(": ")[2]], check=True)
    assert model_archive.pack(folder, tmp_path / "model.tar.gz").startswith("sha256:")
