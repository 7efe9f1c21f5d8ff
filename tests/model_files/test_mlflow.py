"""MLmodel files: the few keys, however YAML writes them."""

from pathlib import Path

import pytest
import yaml

from argosy.errors import ProjectError
from argosy.model_files import mlflow

HEAD = "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n"


def test_quoted_and_folded_texts_are_as_yaml_has_them() -> None:
    document = {
        "flavors": {"python_function": {"loader_module": "mlflow.sklearn"}},
        "one": "it's 'quoted' and so long that a writer of YAML folds it over several lines, as it does mostly",
        "two": '[{"type": "double", "name": "caf\u00e9 \\\\ \\"x\\"", "required": true}, {"name": "b: c"}]',
        "three": "tab\tand\nline",
    }
    for width in (20, 40, 80, 1000):
        found = mlflow.keys(yaml.safe_dump(document, width=width))
        assert {name: found[name] for name in ("one", "two", "three")} == {
            name: document[name] for name in ("one", "two", "three")
        }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no python_function"),
        (HEAD + "mlflow_version: '3.1\n", "a quoted text does not end"),
        (HEAD + "signature:\n  inputs: '[{\"type\": '\n", "MLmodel"),
        ("\xff".encode("latin-1").decode("latin-1") * 3, "no python_function"),
    ],
)
def test_a_broken_file_is_told(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "MLmodel").write_text(text)
    with pytest.raises(ProjectError, match=message):
        mlflow.read_folder(tmp_path)


def test_tensors_are_arrays(tmp_path: Path) -> None:
    spec = '[{"type": "tensor", "name": "x", "tensor-spec": {"dtype": "float32", "shape": [-1, 3]}}]'
    (tmp_path / "MLmodel").write_text(HEAD + f"signature:\n  inputs: '{spec}'\n")
    found = mlflow.read_folder(tmp_path)
    assert found is not None
    assert [(one.name, one.dtype, getattr(one, "shape", None)) for one in found.inputs] == [("x", "float32", (None, 3))]
