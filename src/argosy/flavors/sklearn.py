"""scikit-learn's saved estimators: pipelines, classifiers, regressors, transformers."""

import re
import warnings
from pathlib import Path
from typing import Any, ClassVar, Final

from argosy.errors import DecodeError, LoadError
from argosy.flavors.estimators import inputs, outputs, saved_file
from argosy.flavors.loading import options
from argosy.flavors.loading.framework import framework, installed_version
from argosy.flavors.loading.options import FlavorOptions, threads
from argosy.serving.inputs.signature import ColumnSpec, ModelSignature
from argosy.serving.predictor import Predictor

with framework("scikit-learn"):
    from threadpoolctl import threadpool_limits

METHODS: Final = ("predict", "predict_proba", "decision_function", "transform")
_REFUSALS: Final = (
    (re.compile(r"contains? NaN"), "a missing value"),
    (re.compile(r"contains? infinity|too large for dtype"), "infinity, or a number that is too large"),
    (re.compile(r"unknown categories"), "a category that the model has not learnt"),
    (re.compile(r"[Nn]egative values|strictly positive"), "a number that is not positive"),
)
"""What scikit-learn says of values that it does not take; it may quote them, so its sentence is not repeated."""


def _is_shared(told: FlavorOptions) -> bool:
    """Whether the file holds only scikit-learn's own types, which start no threads while they are made."""
    is_skops = told.file is None or told.file.endswith(".skops")
    return is_skops and all(name.startswith(("sklearn.", "numpy.", "scipy.")) for name in told.trusted)


class SklearnModel(Predictor):
    """A fitted scikit-learn estimator, from a skops file, or from a pickle that the project names.

    Its `predict` is called, or the method that `[model.options]` names. It gets float64 rows of `n_features_in_`
    columns, a data frame where it chooses columns by name or has texts in them, or texts where it begins with a text
    vectorizer.

    The model of a skops file is loaded once and shared by all model processes: no estimator of scikit-learn's starts a
    thread while it is made, and OpenMP's threads, which no fork has, begin with the first prediction. A pickle, or a
    type of another library that the project trusts, is loaded by each process: LightGBM and XGBoost start OpenMP while
    they load, and a fork of that waits for ever. Threads of OpenMP, BLAS and `n_jobs` are the process's share.
    """

    load_before_fork: ClassVar[bool] = _is_shared(options.read())

    def load(self, model_dir: Path) -> None:
        """Load the only `*.skops` file, or the file that the project names.

        Raises:
            LoadError: As `saved_file.load`; or the model has no such method, or needs pandas and it is not here.
        """
        told = options.read()
        path = saved_file.find(model_dir, told)
        if path.suffix == ".skops":
            from argosy.flavors.estimators import skops_file  # here: a pickle needs no skops

            model = saved_file.load(path, lambda file: skops_file.read(file, told.trusted))
        else:
            model = saved_file.load(path)
        name = told.method or METHODS[0]
        saved_file.require_method(path, model, name, METHODS)
        self._signature = _signature(model, name, told)
        if isinstance(self._signature.inputs, tuple) and isinstance(self._signature.inputs[0], ColumnSpec):
            _require_pandas(path)
        self._model = model
        self._method = getattr(model, name)
        self._has_its_threads = False
        # Of names that an array has not: the server has put the columns in order. Of anything else: not once a row.
        warnings.filterwarnings("ignore", module=r"sklearn(\.|$)")

    def signature(self) -> ModelSignature:
        """What the fitted estimator takes and gives."""
        return self._signature

    def predict(self, inputs: Any) -> Any:  # Any: what the signature says
        """Call the method.

        Raises:
            DecodeError: It does not take these values.
        """
        if not self._has_its_threads:
            self._take_threads()
        try:
            return outputs.as_arrays(self._method(inputs))
        except ValueError as error:
            for pattern, got in _REFUSALS:
                if pattern.search(str(error)):
                    raise DecodeError("the model does not take these values", got=got) from error
            raise

    def _take_threads(self) -> None:
        """Keep to the share of this process; here, since the model may have been loaded before it was forked."""
        count = threads()
        threadpool_limits(count)
        for part in inputs.within(self._model):
            is_foreign = not type(part).__module__.startswith("sklearn.")
            if hasattr(part, "n_jobs") and (part.n_jobs is not None or is_foreign):
                part.n_jobs = count
        self._has_its_threads = True


def _signature(model: object, method: str, told: FlavorOptions) -> ModelSignature:
    taken = inputs.of(model, told.inputs)
    row_wise = True if told.row_wise is None else told.row_wise
    given = outputs.of(model, method)
    return ModelSignature(taken.inputs, given, taken.features, row_wise, taken.example)


def _require_pandas(path: Path) -> None:
    if installed_version("pandas") is None:
        raise LoadError(
            "the model takes columns of a data frame, and pandas is not here",
            where=path,
            hint="pip install pandas, and add it to [image] dependencies in argosy.toml",
        )
