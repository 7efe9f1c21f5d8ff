"""Damaged and hostile saved models: a sentence, or none of ours, and never anything else."""

import bz2
import gzip
import lzma
import pickle
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.errors import ProjectError
from argosy.model_files import binary, detection, pickles
from argosy.model_files.binary import Ubjson, fields
from tests.model_files.saved_models import SAVED, copied

FILES = sorted(path.name for path in SAVED.iterdir() if path.is_file() and path.suffix != ".md")
WHOLE = ("logistic.onnx", "booster.json", "named.ubj", "categories.cbm", "linear.safetensors", "two.keras")


def look(path: Path) -> None:
    """Reads a file; a sentence about it is as good as an answer."""
    try:
        detection.read_file(path)
    except ProjectError as error:
        assert path.name in error.message


@pytest.mark.parametrize("name", WHOLE)
def test_half_a_model_is_told(tmp_path: Path, name: str) -> None:
    content = (SAVED / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ProjectError, match=r"a saved model is (damaged|not what its name says)"):
        detection.read_file(path)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged")


@settings(max_examples=100, deadline=None)
@given(
    name=st.sampled_from(FILES), cut=st.floats(0, 1), changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)))
)
def test_no_damage_leads_to_anything_but_a_sentence(
    place: Path, name: str, cut: float, changes: list[tuple[float, int]]
) -> None:
    content = bytearray((SAVED / name).read_bytes())
    for where, byte in changes:
        content[int(where * (len(content) - 1))] = byte
    path = place / name
    path.write_bytes(content[: int(len(content) * (1 if cut > 0.7 else cut))])
    look(path)


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\x08\x0a", b"{L", b"CBM1", b"\x00\x00\x00\x00TFL3", b"\x80\x04", b"PK\x03\x04"]),
)
def test_no_bytes_lead_to_anything_but_a_sentence(place: Path, content: bytes, begin: bytes) -> None:
    for name in ("any", "any.onnx", "any.ubj", "any.pkl"):
        path = place / name
        path.write_bytes(begin + content)
        look(path)


def test_what_a_pickle_would_call_is_never_called(tmp_path: Path) -> None:
    class Deadly:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (exec, (f"open({str(tmp_path / 'ran')!r}, 'w')",))

    (tmp_path / "model.pkl").write_bytes(pickle.dumps(["sklearn", Deadly()]))
    assert detection.read_file(tmp_path / "model.pkl") is None
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_joblibs_compressions_are_known(tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    (tmp_path / "model.joblib").write_bytes(pack((SAVED / "pipeline.pkl").read_bytes()))
    found = detection.read_file(tmp_path / "model.joblib")
    assert found is not None
    assert found.versions == {"scikit-learn": "1.9.1"}


def test_a_packed_pickle_is_unpacked_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickles, "_MOST_BYTES", 2**21)
    (tmp_path / "model.joblib").write_bytes(gzip.compress(b"\x80\x04" + bytes(2**25)))
    content = pickles.content(tmp_path / "model.joblib")
    assert content is not None
    assert len(content) <= 2**21 + 2**20


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "ends too early"),
        (b"[[" * 100, "nested too deeply"),
        (b"{i\x01aS", "ends too early"),
        (b"[$x#i\x01", "no typed array"),
        (b"{i\xff", "no length"),
        (b"?", "no value"),
    ],
)
def test_broken_ubjson_is_told(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Ubjson(content).value()


@pytest.mark.parametrize("content", [b"\x08", b"\x0a\x05abc", b"\x00\x00", b"\x0b", b"\x08" + b"\xff" * 11])
def test_broken_protocol_buffers_are_told(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"ends|no field|more than ten"):
        list(fields(content))


def test_an_input_of_no_length_is_told(tmp_path: Path) -> None:
    layer = '{"class_name": "InputLayer", "config": {"name": "a", "batch_shape": [null, "q"]}}'
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.15.1"}')
        archive.writestr("config.json", f'{{"config": {{"layers": [{layer}]}}}}')
    with pytest.raises(ProjectError, match="damaged: it is no whole Keras model: got 'q' is no length of an array"):
        detection.find(tmp_path)


def test_a_count_of_columns_takes_no_memory(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(
        '{"version": [3, 2, 0], "learner": {"learner_model_param": {"num_feature": "999999999999"}}}'
    )
    found = detection.read_file(tmp_path / "model.json")
    assert found is not None
    assert len(found.inputs) == 100_000


def test_trees_that_are_cut_off_are_told(tmp_path: Path) -> None:
    content = (SAVED / "lightgbm.txt").read_bytes()
    (tmp_path / "model.txt").write_bytes(content[: content.index(b"\nTree=1")])
    with pytest.raises(ProjectError, match="bytes with trees of"):
        detection.read_file(tmp_path / "model.txt")


def test_a_message_of_countless_fields_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary, "_MOST_FIELDS", 1000)
    with pytest.raises(ValueError, match="more than 1,000 fields"):
        list(fields(b"\x42\x00" * 1001))


def test_tensors_that_end_nowhere_are_told(tmp_path: Path) -> None:
    header = b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, "x"]}}'
    (tmp_path / "a.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    with pytest.raises(ProjectError, match="Expected `int`, got `str`"):
        detection.read_file(tmp_path / "a.safetensors")


def test_a_folder_with_a_damaged_file_names_it(tmp_path: Path) -> None:
    copied("saved_model", tmp_path)
    path = tmp_path / "saved_model/saved_model.pb"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ProjectError, match=r"saved_model\.pb: a saved model is damaged"):
        detection.find(tmp_path)
    path.write_bytes(b"")
    with pytest.raises(ProjectError, match="no graph in it"):
        detection.find(tmp_path)
