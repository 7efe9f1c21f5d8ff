from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import LoadError
from argosy.flavors.trees.lightgbm_text import require_whole
from tests.flavors.environments import EXAMPLES

MODEL = EXAMPLES.joinpath("lightgbm/model/diabetes.txt").read_bytes()
TREES = MODEL.index(b"\nTree=0\n")
END = MODEL.index(b"\nend of parameters\n") + len(b"\nend of parameters\n")

DAMAGED = "the file is damaged or cut off in "


def refusal(content: bytes, folder: Path) -> LoadError:
    path = folder / "model.txt"
    path.write_bytes(content)
    with pytest.raises(LoadError) as caught:
        require_whole(path)
    assert caught.value.where == path
    assert caught.value.hint
    return caught.value


def test_a_whole_model_is_left_alone() -> None:
    require_whole(EXAMPLES / "lightgbm/model/diabetes.txt")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda whole: b"", "the file is not a LightGBM model"),
        (lambda whole: b'{"learner": {}}', "the file is not a LightGBM model"),
        (lambda whole: whole.replace(b"\n", b"\r\n"), "the line ends of the file were changed"),
        (lambda whole: whole.replace(b"version=v4", b"version=v9"), "the file has another format"),
        (
            lambda whole: whole.replace(b"max_feature_idx=9", b"max_feature_idx=x"),
            DAMAGED + "its header",
        ),
        (
            lambda whole: whole.replace(b"max_feature_idx=9", b"max_feature_idx=8"),
            DAMAGED + "its header",
        ),
        (lambda whole: whole.replace(b"\nnum_class=1", b""), DAMAGED + "its header"),
        (lambda whole: whole.replace(b"tree_sizes=", b"tree_sizes=?"), DAMAGED + "its header"),
        (lambda whole: whole.replace(b"Tree=7\n", b"Tree=8\n"), DAMAGED + "`Tree=7`"),
        (lambda whole: whole.replace(b"threshold=", b"threshold= ", 1), DAMAGED + "`Tree=1`"),
        (lambda whole: damaged(whole, b"\nthreshold=", b"\xff"), DAMAGED + "`Tree=0`"),
        (lambda whole: damaged(whole, b"\nleft_child=", b" "), DAMAGED + "`Tree=0`"),
        (lambda whole: damaged(whole, b"\nnum_leaves=", b" "), DAMAGED + "`Tree=0`"),
        (
            lambda whole: damaged(whole, b"\nend of trees", b"x"),
            DAMAGED + "the end of its trees",
        ),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, change: Callable[[bytes], bytes], what: str) -> None:
    changed = change(MODEL)
    assert changed != MODEL
    assert refusal(changed, tmp_path).what.startswith(what)


@given(length=st.integers(0, END - 1))
def test_a_file_that_is_cut_off_anywhere_is_told(tmp_path_factory: pytest.TempPathFactory, length: int) -> None:
    refusal(MODEL[:length], tmp_path_factory.mktemp("cut"))


@given(place=st.integers(TREES + 20, MODEL.index(b"end of trees") - 60))
def test_zeros_in_any_tree_are_told(tmp_path_factory: pytest.TempPathFactory, place: int) -> None:
    """As a disk leaves them."""
    refusal(MODEL[:place] + bytes(50) + MODEL[place + 50 :], tmp_path_factory.mktemp("zeros"))


def damaged(whole: bytes, behind: bytes, by: bytes) -> bytes:
    """The model with other bytes behind the first of these, of the same length."""
    place = whole.index(behind) + len(behind)
    return whole[: place - 1] + by * 4 + whole[place + 3 :]
