import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import LoadError
from argosy.flavors.trees import xgboost_file
from tests.flavors.environments import EXAMPLES

WINE = EXAMPLES / "xgboost/model/wine.ubj"
JSON = b'{"learner":{"attributes":{"version":"[9,9,9]"}},"version":[3,2,0]}'


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_the_form_is_what_the_bytes_say(tmp_path: Path) -> None:
    assert xgboost_file.require_form(WINE) == "ubj"
    assert xgboost_file.require_form(written(tmp_path, "a.json", JSON)) == "json"
    assert xgboost_file.require_form(written(tmp_path, "b.json", b'{\n  "learner": {}}')) == "json"
    # Since XGBoost 2.1 a file of any other name is UBJSON.
    assert xgboost_file.require_form(written(tmp_path, "c.model", WINE.read_bytes())) == "ubj"


@pytest.mark.parametrize(
    ("name", "content", "what", "hint"),
    [
        ("a.ubj", b"", "the file is empty", None),
        ("a.ubj", b"\x80\x05K\x01.", "got a pickle", "model.save_model('model.ubj')"),
        ("a.json", b"[1, 2]", "got neither JSON nor UBJSON", "model.save_model('model.ubj')"),
        ("a.ubj", JSON, "got JSON, want UBJSON", "mv a.ubj a.json"),
        ("a.json", b"{L" + bytes(9), "got UBJSON, want JSON", "mv a.json a.ubj"),
        ("a.bin", b"binf" + bytes(60), "old binary form", "save_model('a.ubj')"),
        ("a.ubj", b"binf" + bytes(60), "old binary form", "xgboost-cpu==3.0.5"),
        ("a.model", b"\x00\x00\x00?" + bytes(60), "old binary form", "xgboost.Booster(model_file='a.model')"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path: Path, name: str, content: bytes, what: str, hint: str | None) -> None:
    path = written(tmp_path, name, content)
    with pytest.raises(LoadError) as caught:
        xgboost_file.require_form(path)
    assert what in caught.value.message
    assert caught.value.where == path
    assert (hint or "") in (caught.value.hint or "")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="not a file"):
        xgboost_file.require_form(tmp_path)


def test_the_release_is_at_the_end(tmp_path: Path) -> None:
    assert xgboost_file.require_release(WINE, "ubj") == (3, 2, 0)
    assert xgboost_file.require_release(written(tmp_path, "a.json", JSON), "json") == (3, 2, 0)
    indented = json.dumps(json.loads(JSON), indent=2).encode()
    assert xgboost_file.require_release(written(tmp_path, "b.json", indented), "json") == (3, 2, 0)


@pytest.mark.parametrize("kept", [5, len(WINE.read_bytes()) // 2, len(WINE.read_bytes()) - 2])
def test_a_file_without_its_end_is_refused(tmp_path: Path, kept: int) -> None:
    path = written(tmp_path, "a.ubj", WINE.read_bytes()[:kept])
    with pytest.raises(LoadError, match="not a whole model"):
        xgboost_file.require_release(path, "ubj")


@given(st.binary(max_size=40), st.tuples(*[st.integers(0, 2**31 - 1)] * 3))
def test_a_release_of_any_numbers_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, before: bytes, release: tuple[int, int, int]
) -> None:
    numbers = b"".join(ubj_integer(number) for number in release)
    content = before + b"version[#L" + (3).to_bytes(8, "big") + numbers + b"}"
    path = written(tmp_path_factory.getbasetemp(), "any.ubj", content)
    assert xgboost_file.require_release(path, "ubj") == release


def ubj_integer(number: int) -> bytes:
    """As XGBoost writes it: in the least bytes, signed."""
    width, marker = next((width, m) for width, m in ((1, b"i"), (2, b"I"), (4, b"l")) if number < 2 ** (8 * width - 1))
    return marker + number.to_bytes(width, "big")


def test_categories_by_feature() -> None:
    enc = [
        {"offsets": [], "values": []},
        {"offsets": [0, 2, 5], "values": [108, 111, 104, -61, -87]},
        {"type": 15, "values": [-3, 7, 20]},
    ]
    model = {"learner": {"feature_names": ['"cats":{"enc"', "b", "c"], "gradient_booster": {"cats": {"enc": enc}}}}
    text = json.dumps(model, separators=(",", ":")).encode()
    assert xgboost_file.categories(text, (3, 3, 0), WINE) == (None, ("lo", "hé"), (-3, 7, 20))
    assert xgboost_file.categories(b'{"learner":{}}', (3, 0, 5), WINE) == ()


def saved_categories(features: list[list[str]], cut: Callable[[str], int]) -> bytes:
    """As XGBoost saves them: where each text ends, its length being what `cut` says, and the bytes up to the last."""
    enc = []
    for categories in features:
        ends = [sum(map(cut, categories[:number])) for number in range(len(categories) + 1)]
        content = "".join(categories).encode()[: ends[-1]]
        enc.append({"offsets": ends, "values": [byte - 256 if byte > 127 else byte for byte in content]})
    return json.dumps({"cats": {"enc": enc}}, separators=(",", ":")).encode()


@given(st.lists(st.lists(st.text(), min_size=1), min_size=1))
def test_categories_of_any_text_are_read_back(features: list[list[str]]) -> None:
    model = saved_categories(features, lambda text: len(text.encode()))
    assert xgboost_file.categories(model, (3, 3, 0), WINE) == tuple(map(tuple, features))


@given(st.lists(st.lists(st.text(), min_size=1), min_size=1))
def test_categories_that_were_cut_at_characters_are_refused(features: list[list[str]]) -> None:
    model = saved_categories(features, len)
    if all(text.isascii() for categories in features for text in categories):
        assert xgboost_file.categories(model, (3, 2, 0), WINE) == tuple(map(tuple, features))
        return
    with pytest.raises(LoadError, match="broken categories"):
        xgboost_file.categories(model, (3, 2, 0), WINE)
