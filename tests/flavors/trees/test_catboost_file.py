import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import LoadError
from argosy.flavors.trees import catboost_file
from tests.flavors.environments import EXAMPLES

PENGUINS = EXAMPLES / "catboost/model/penguins.cbm"
SAID = "Git info:\n    Branch: tags/v1.2\n    Summary: CatBoost release 1.2. commit_hash:f8\n"
WHOLE = {"features_info": {}, "model_info": {"catboost_version_info": SAID}, "oblivious_trees": [{"splits": []}]}


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_the_form_is_what_the_bytes_say(tmp_path: Path) -> None:
    assert catboost_file.require_form(PENGUINS) == "cbm"
    assert catboost_file.require_form(written(tmp_path, "a.json", json.dumps(WHOLE).encode())) == "json"
    lossguide = {**{name: part for name, part in WHOLE.items() if name != "oblivious_trees"}, "trees": []}
    assert catboost_file.require_form(written(tmp_path, "b.json", json.dumps(lossguide).encode())) == "json"


@pytest.mark.parametrize(
    ("name", "content", "what", "hint"),
    [
        ("a.cbm", b"", "the file is empty", None),
        ("a.cbm", b"\x80\x05K\x01.", "got a pickle", "model.save_model('model.cbm')"),
        ("a.cbm", b"hello", "got neither `CBM1` nor JSON", "model.save_model('model.cbm')"),
        ("a.json", b"CBM1" + bytes(9), "got CatBoost's binary form, want JSON", "mv a.json a.cbm"),
        ("a.cbm", json.dumps(WHOLE).encode(), "got JSON, want CatBoost's binary form", "mv a.cbm a.json"),
        ("a.json", b'{"learner": {}, "version": [3, 2, 0]}', "JSON without `features_info`", "model.save_model"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path: Path, name: str, content: bytes, what: str, hint: str | None) -> None:
    path = written(tmp_path, name, content)
    with pytest.raises(LoadError) as caught:
        catboost_file.require_form(path)
    assert what in caught.value.message
    assert caught.value.where == path
    assert (hint or "") in (caught.value.hint or "")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="not a file"):
        catboost_file.require_form(tmp_path)


@given(st.integers(2, len(json.dumps(WHOLE)) - 1))
def test_json_that_is_cut_off_anywhere_is_refused(tmp_path_factory: pytest.TempPathFactory, kept: int) -> None:
    path = written(tmp_path_factory.getbasetemp(), "cut.json", json.dumps(WHOLE).encode()[:kept])
    with pytest.raises(LoadError, match="not whole JSON"):
        catboost_file.require_form(path)


def test_the_release_is_in_the_text_about_the_build(tmp_path: Path) -> None:
    assert catboost_file.release(PENGUINS) == (1, 2, 10)
    assert catboost_file.release(written(tmp_path, "a.json", json.dumps(WHOLE).encode())) == (1, 2, 0)
    only = b"CBM1...Summary: CatBoost release 1.1.1. commit"
    assert catboost_file.release(written(tmp_path, "b.cbm", only)) == (1, 1, 1)
    assert catboost_file.release(written(tmp_path, "c.cbm", b"CBM1...Branch: trunk")) is None
