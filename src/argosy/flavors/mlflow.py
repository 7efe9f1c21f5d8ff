"""An MLflow model: a folder with `MLmodel`, loaded by MLflow as its python_function."""

import logging
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import orjson

from argosy.errors import DecodeError, LoadError
from argosy.flavors.loading import artifacts, options
from argosy.flavors.loading.framework import framework, installed_version
from argosy.flavors.loading.options import FlavorOptions
from argosy.serving import log, settings
from argosy.serving.inputs.signature import ColumnSpec, ModelSignature, TensorSpec
from argosy.serving.predictor import Predictor

_FILE: Final = "MLmodel"
_PYFUNC: Final = "python_function"
_QUIET: Final = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false"}
_COLUMNS: Final[Mapping[str, str]] = {
    "boolean": "bool",
    "integer": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
    "string": "str",
}
"""MLflow's types of columns that are the same in every row.

Source:
    mlflow 3.17.2, `mlflow.types.schema.DataType` (read 2026-11-23).
"""
_ROW_WISE: Final = frozenset({"mlflow.sklearn", "mlflow.xgboost", "mlflow.lightgbm", "mlflow.catboost"})
"""Loaders whose models say of a row the same whatever is beside it, by these methods."""
_ROW_WISE_METHODS: Final = frozenset({"predict", "predict_proba"})
_SAFE_REASONS: Final = ("Incompatible input types for column", "Shape of input", "dtype of input", "The input column")
"""How those words of MLflow's begin that quote nothing of a body."""
_PINNED: Final = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[[^]]*\])?==(?P<version>[^\s;#]+)")


class MlflowModel(Predictor):
    """The python_function of a model folder, by `mlflow.pyfunc.load_model`.

    Inputs are those of the model's signature: columns, arrays, or without one a data frame; MLflow enforces it, too.
    The model's own input example is predicted before `/ping` says 200. Parameters of the signature have their defaults,
    or what `arguments` of the options say. Answered is the prediction itself, where MLflow's server would put it into
    `{"predictions": ...}`.

    Loading most of MLflow's models unpickles or imports files of theirs: that needs the owner's word, `file =
    "MLmodel"`. It does not for what is data alone: XGBoost, CatBoost, ONNX, LightGBM's boosters, and scikit-learn by
    skops without trusted types of its own. Rows of several invocations share a call for scikit-learn, XGBoost, LightGBM
    and CatBoost, and where the options say `row_wise`.

    Not loaded before the fork: what is inside may be any framework. It heeds the variables that give it its threads.
    """

    load_before_fork: ClassVar[bool] = False

    def load(self, model_dir: Path) -> None:
        """Load the model.

        Raises:
            LoadError: MLflow, or what the model needs, is missing; the folder is broken, was written by a newer MLflow,
                or would run code without the owner's word.
        """
        told = options.read()
        path = find_model(model_dir, told)
        mlflow = _imported()
        self._meta = _read(mlflow, path)
        pyfunc = self._meta.flavors[_PYFUNC]
        reason = code_of(self._meta.flavors) or _inner_model(path.parent, str(pyfunc.get("data") or ""))
        if reason is not None and told.file is None:
            raise LoadError(
                "loading the model runs code of its own",
                got=reason,
                want="your word that it may",
                where=path,
                hint=f'name the file under [model] in argosy.toml: file = "{path.relative_to(model_dir).as_posix()}"',
            )
        _require_known_version(str(self._meta.mlflow_version or ""), str(mlflow.__version__), path)
        _tell_differences(path.parent)
        self._model = _loaded(mlflow, path.parent)
        self._exception = mlflow.exceptions.MlflowException
        self._parameters = dict(told.arguments)
        self._chosen = list(told.outputs)
        is_known = pyfunc["loader_module"] in _ROW_WISE and pyfunc.get("predict_fn", "predict") in _ROW_WISE_METHODS
        self._row_wise = is_known if told.row_wise is None else told.row_wise
        schema = self._meta.get_input_schema()
        self._inputs = told.inputs or _inputs(schema, self._meta)
        is_named = schema is not None and schema.is_tensor_spec() and schema.has_input_names()
        self._names = schema.input_names() if is_named else []
        self._moments = [] if schema is None else _moments(schema)
        self._example = _example(self._meta, path.parent, self._inputs)

    def signature(self) -> ModelSignature:
        """What the model's own signature says."""
        outputs = _outputs(self._meta.get_output_schema()) if not self._chosen else ()
        return ModelSignature(self._inputs, outputs, row_wise=self._row_wise, example=self._example)

    def predict(self, inputs: Any) -> Any:
        """What the model answers: an array, a data frame, a list, or whatever it returns.

        Args:
            inputs: As the signature says (hence `Any`).

        Raises:
            DecodeError: MLflow, enforcing the signature, refuses the inputs.
        """
        if self._moments:
            inputs = _with_moments(inputs, self._moments)
        elif isinstance(inputs, np.ndarray) and self._names:
            inputs = {self._names[0]: inputs}
        elif isinstance(inputs, dict) and not self._names:
            (inputs,) = inputs.values()
        try:
            found = self._model.predict(inputs, self._parameters) if self._parameters else self._model.predict(inputs)
        except self._exception as error:
            if _is_of_inputs(error):
                raise DecodeError("the model's signature does not take the inputs", got=_reason(error)) from error
            raise
        return _selected(found, self._chosen) if self._chosen else found


def find_model(model_dir: Path, told: FlavorOptions) -> Path:
    """The file `MLmodel` among the artifacts; `file` may name its folder.

    Raises:
        LoadError: There is none, or there are several.
    """
    path = artifacts.find(model_dir, told, [_FILE, f"*/{_FILE}"], "an MLflow model (`MLmodel`)")
    path = path / _FILE if path.is_dir() else path
    if path.name != _FILE or not path.exists():
        raise LoadError(f"there is no `{_FILE}`", got=f"`{path.name}`", where=path.parent)
    return path


def code_of(flavors: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Which code of the model's own is run when its python_function is loaded; None when it is data alone.

    >>> code_of({"python_function": {"loader_module": "mlflow.catboost"}})

    Args:
        flavors: As in `MLmodel` (`Any`: YAML).
    """
    pyfunc = flavors[_PYFUNC]
    if pyfunc.get("code"):
        return f"the Python files in `{pyfunc['code']}`"
    loader = str(pyfunc.get("loader_module"))
    own = flavors.get(loader.removeprefix("mlflow."), {})
    if loader == "mlflow.xgboost" and str(own.get("model_class", "xgboost.core.Booster")).startswith("xgboost."):
        return None
    if loader == "mlflow.lightgbm" and own.get("model_class", "lightgbm.basic.Booster") == "lightgbm.basic.Booster":
        return None
    if loader in ("mlflow.catboost", "mlflow.onnx"):
        return None
    if loader in ("mlflow.sklearn", "mlflow.lightgbm") and own.get("serialization_format") == "skops":
        trusted = own.get("skops_trusted_types")
        return f"the types that it says may be trusted: {', '.join(map(str, trusted))}" if trusted else None
    return f"a pickle, or whatever `{loader}` loads"


def _inner_model(folder: Path, data: str) -> str | None:
    """What MLflow would load from another folder than that of `MLmodel`; None when the data is a file beside it.

    MLflow then reads the `MLmodel` that is there, which may say something else, as that the model is a pickle (mlflow
    3.17.2, `_load_pyfunc` of `mlflow.sklearn` and `_load_model` of `mlflow.lightgbm`, read 2026-11-23).
    """
    is_beside = Path(data).name == data and not (folder / data).is_dir()
    return None if not data or is_beside else f"whatever an `MLmodel` in `{data}` names"


def _imported() -> Any:  # Any: MLflow has no types that would stay
    """MLflow, which calls nobody.

    Raises:
        LoadError: It is missing, or what it needs is.
    """
    told = settings.environment()
    settings.set_variables({name: value for name, value in _QUIET.items() if name not in told})
    try:
        with framework("mlflow-skinny", "pandas"):
            import mlflow.pyfunc
    except LoadError as error:
        if "pkg_resources" in str(error.__cause__):
            got, hint = "a newer setuptools, or none", 'pip install "setuptools<81"'
            raise LoadError("this MLflow needs pkg_resources of setuptools", got=got, hint=hint) from error
        raise
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    return mlflow


def _read(mlflow: Any, path: Path) -> Any:  # Any: MLflow's `Model`
    try:
        meta = mlflow.models.Model.load(str(path))
        flavors = meta.flavors
    except Exception as error:  # YAML's errors, and TypeError and the like where it is other YAML
        got = "an empty file" if not path.stat().st_size else f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise LoadError(
            f"`{_FILE}` is broken", got=got, want="the file as MLflow wrote it", where=path.parent
        ) from error
    if not isinstance(flavors.get(_PYFUNC), dict) or "loader_module" not in flavors[_PYFUNC]:
        raise LoadError(
            "the model has no `python_function`",
            got=" and ".join(f"`{name}`" for name in flavors) or "no flavors",
            want="a model of a flavor that has one",
            where=path,
        )
    return meta


def _require_known_version(wrote: str, installed: str, where: Path) -> None:
    """Refuse the folder of a newer major version: its form may be another."""
    if wrote.partition(".")[0].isdigit() and int(wrote.partition(".")[0]) > int(installed.partition(".")[0]):
        raise LoadError(
            "a newer MLflow wrote the model",
            got=f"MLflow {wrote}",
            want=f"at most {installed}, which is installed",
            where=where,
            hint=f"pip install mlflow-skinny=={wrote}",
        )


def _tell_differences(folder: Path) -> None:
    """Say in the log which libraries are there in other versions than the model was saved with."""
    path = folder / "requirements.txt"
    pinned = [_PINNED.match(line.strip()) for line in path.read_text().splitlines()] if path.exists() else []
    found = {}
    for pin in pinned:
        if pin is not None:
            name = "mlflow-skinny" if pin["name"] == "mlflow" else pin["name"]
            version = installed_version(name)
            if version != pin["version"]:
                found[name] = f"{version or 'missing'}, saved with {pin['version']}"
    if found:
        log.event("requirements-differ", differences=found, hint=f"pip install -r {path}")


def _loaded(mlflow: Any, folder: Path) -> Any:  # Any: MLflow's `PyFuncModel`
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice to those who save models
            return mlflow.pyfunc.load_model(str(folder), suppress_warnings=True)
    except (Exception, SystemExit) as error:
        lines = str(error).split("\n\n")[0].split() or ["nothing more"]
        is_missing = isinstance(error, ModuleNotFoundError)
        raise LoadError(
            "the model needs what is not installed" if is_missing else "MLflow cannot load the model",
            got=f"{type(error).__name__}: {' '.join(lines)}",
            where=folder,
            hint=f"pip install -r {folder}/requirements.txt" if is_missing else None,
        ) from error


def _inputs(schema: Any, meta: Any) -> object:  # Any: MLflow's `Schema` and `Model`
    """What a signature's inputs are: arrays, columns, or an annotation."""
    import pandas

    kind = (meta.saved_input_example_info or {}).get("type")
    if schema is None:
        return np.ndarray if kind == "ndarray" else pandas.DataFrame
    if schema.is_tensor_spec():
        return _tensors(schema.inputs, "inputs")
    types = [getattr(column.type, "name", "") for column in schema.inputs]
    if getattr(meta, "is_signature_from_type_hint", False) or (types == ["string"] and not schema.has_input_names()):
        return list[str] if types == ["string"] else list[Any]
    if schema.has_input_names() and all(name in _COLUMNS for name in types):
        return tuple(
            ColumnSpec(column.name, _COLUMNS[name], getattr(column, "required", True))
            for column, name in zip(schema.inputs, types, strict=True)
        )
    return pandas.DataFrame


def _tensors(specs: Sequence[Any], unnamed: str) -> tuple[TensorSpec, ...]:  # Any: MLflow's `TensorSpec`
    return tuple(
        TensorSpec(
            spec.name or unnamed,
            "str" if spec.type.kind in "OUS" else spec.type.name,
            tuple(None if length < 0 else int(length) for length in spec.shape),
        )
        for spec in specs
    )


def _outputs(schema: Any) -> tuple[TensorSpec, ...]:  # Any: MLflow's `Schema`
    """The arrays that a signature says are given; a data frame's columns are none."""
    if schema is None or (len(schema.inputs) > 1 and not schema.has_input_names()):
        return ()
    if schema.is_tensor_spec():
        return _tensors(schema.inputs, "predictions")
    dtype = _COLUMNS.get(getattr(schema.inputs[0].type, "name", "")) if len(schema.inputs) == 1 else None
    is_plain = dtype is not None and not schema.has_input_names()
    return (TensorSpec("predictions", dtype, (None,)),) if is_plain and dtype is not None else ()


def _moments(schema: Any) -> list[str]:  # Any: MLflow's `Schema`
    """Columns of times, which JSON and CSV can only write as text."""
    if schema.is_tensor_spec() or not schema.has_input_names():
        return []
    return [column.name for column in schema.inputs if getattr(column.type, "name", "") == "datetime"]


def _with_moments(frame: Any, names: Sequence[str]) -> Any:  # Any: a data frame
    import pandas

    found = {}
    for name in names:
        if name in frame.columns:
            try:
                found[name] = pandas.to_datetime(frame[name]).astype("datetime64[ns]")
            except (ValueError, TypeError) as error:
                raise DecodeError("a cell is no date and time", want="ISO 8601", where=f"column `{name}`") from error
    return frame.assign(**found)


def _example(meta: Any, folder: Path, inputs: object) -> object | None:  # Any: MLflow's `Model`
    """The model's own example, as a client would send it; None when it has none."""
    told = meta.saved_input_example_info or {}
    serving, own = told.get("serving_input_path"), told.get("artifact_path")
    name = serving if serving and (folder / serving).exists() else own
    if name is None or not (folder / name).exists():
        return None
    if not (folder / name).resolve().is_relative_to(folder.resolve()):  # all the world could read it at /openapi.json
        raise LoadError("the model's example leads out of its folder", got=f"`{name}`", where=folder)
    try:
        found = orjson.loads((folder / name).read_bytes())
    except orjson.JSONDecodeError as error:
        raise LoadError("the model's example is broken", got=f"{error}", where=folder / name) from error
    if name == own and told.get("type") == "dataframe":
        found = {"dataframe_split" if told.get("pandas_orient") == "split" else "dataframe_records": found}
    is_list = inputs in (list[str], list[Any])
    example: object = found["inputs"] if is_list and isinstance(found, dict) and "inputs" in found else found
    return example


def _selected(found: Any, names: Sequence[str]) -> Any:  # Any: a data frame, or arrays by name
    """The outputs that are answered; one of several arrays is that array."""
    if not isinstance(found, dict):
        return found[list(names)]
    return found[names[0]] if len(names) == 1 else {name: found[name] for name in names}


def _is_of_inputs(error: Any) -> bool:  # Any: `MlflowException`
    """Whether MLflow blames the inputs: by its status, or, before MLflow 2.10, by where it was raised."""
    if error.get_http_status_code() < 500:
        return True
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_name == "_enforce_schema":
            return True
        trace = trace.tb_next
    return False


def _reason(error: BaseException) -> str | None:
    """What MLflow says of the inputs, unless it may quote them."""
    said = str(error.__context__ or error)
    return said.partition(" Hint:")[0] if said.startswith(_SAFE_REASONS) else None
