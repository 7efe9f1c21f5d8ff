import json
from pathlib import Path

import pytest

from argosy.billing.request_file import Recorded, read
from argosy.errors import UsageError


def written(folder: Path, *lines: object) -> Path:
    path = folder / "requests.jsonl"
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return path


def test_a_line_is_a_request_with_a_body_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(b"1,2\n")
    path = written(
        tmp_path,
        {"body": '{"a": 1}'},
        "",
        {"file": "rows.csv", "accept": "application/json", "custom_attributes": "k=v", "expected": 1},
        {"content_type": "text/plain", "body": "ä"},
    )
    assert list(read(path)) == [
        Recorded("requests.jsonl:1", "application/json", b'{"a": 1}'),
        Recorded("requests.jsonl:3", "text/csv", b"1,2\n", "application/json", "k=v", 1),
        Recorded("requests.jsonl:4", "text/plain", "ä".encode()),
    ]


def test_the_files_of_a_folder_are_a_request_each(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more/b.csv").write_bytes(b"1")
    (tmp_path / "a.bin.unheard-of").write_bytes(b"\x00")
    (tmp_path / ".hidden").write_bytes(b"no")
    found = list(read(tmp_path, "application/x-npy"))
    assert found == [
        Recorded("a.bin.unheard-of", "application/x-npy", b"\x00"),
        Recorded("more/b.csv", "text/csv", b"1"),
    ]
    with pytest.raises(UsageError, match="nothing says the media type of a sample"):
        list(read(tmp_path))


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("no JSON", "a line is no request"),
        ("[1]", "a line is no request"),
        ({"body": "x", "unheard": 1}, "unheard"),
        ({"content_type": "text/csv"}, "one of `body` and `file`: got neither"),
        ({"body": "x", "file": "y"}, "one of `body` and `file`: got both"),
        ({"file": "../outside.csv"}, "a file outside the folder"),
        ({"file": "missing.csv"}, "cannot be read"),
        ({"file": "rows"}, "nothing says the media type"),
    ],
)
def test_a_line_that_is_no_request_is_named(line: object, fault: str, tmp_path: Path) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    (tmp_path / "outside.csv").write_text("1")
    path = written(folder, {"body": "{}"}, line)
    found = read(path)
    next(found)
    with pytest.raises(UsageError, match=fault) as raised:
        next(found)
    assert str(raised.value.where) == f"{path}:2"


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    (tmp_path / "outside.csv").write_text("1")
    (folder / "rows.csv").symlink_to(tmp_path / "outside.csv")
    with pytest.raises(UsageError, match="a file outside the folder"):
        list(read(written(folder, {"file": "rows.csv"})))
