"""What is done where an inference script leaves a function out, as AWS's toolkits do it, through our codecs.

Nothing that came over HTTP is unpickled. Libraries are used only when the script, or its model, has imported them.
"""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from argosy import media_type
from argosy.errors import LoadError, NotAcceptableError, UnsupportedMediaTypeError
from argosy.serving import codecs
from argosy.serving.context import Reply
from argosy.serving.inputs.kind import InputKind

_TORCH_NAMES: Final = ("model.pt", "model.pth")
_SPARSE: Final = frozenset({"application/x-npz"})
"""Where the toolkit's own decoder gives a sparse matrix (sagemaker-inference-toolkit 1.10.1, decoder.py)."""


def load_model(model_dir: str) -> object:
    """The TorchScript model `model.pt`, `model.pth` or the only `.pt` or `.pth` file, when torch is installed.

    Raises:
        LoadError: There is none, or no torch: only the script knows how to load anything else.
    """
    folder = Path(model_dir)
    named = [folder / name for name in _TORCH_NAMES if (folder / name).is_file()]
    others = [path for path in folder.glob("*") if path.suffix in (".pt", ".pth")]
    file = named[0] if named else others[0] if len(others) == 1 else None
    if file is None or importlib.util.find_spec("torch") is None:
        raise LoadError(
            "the inference script has no `model_fn`",
            got=f"`{file.name}` without torch" if file is not None else None,
            want="`def model_fn(model_dir): ...` that returns the model; without one, a TorchScript file and torch",
            where=folder,
        )
    torch = importlib.import_module("torch")
    try:
        return torch.jit.load(str(file), map_location=_device(torch))
    except RuntimeError as error:
        raise LoadError(
            f"`{file.name}` is no TorchScript model",
            where=folder,
            hint="save it with `torch.jit.save`, or write a `model_fn` that loads it",
        ) from error


def decode(body: bytes, content_type: str) -> object:
    """The body as an array, or as a sparse matrix where the toolkit gives one.

    Raises:
        UnsupportedMediaTypeError: No codec makes an array of the Content-Type.
        DecodeError: The body is not what its Content-Type says.
    """
    parsed = media_type.parse(content_type)
    codec = codecs.find(parsed.essence) if parsed is not None else None
    kind = InputKind.SPARSE if parsed is not None and parsed.essence in _SPARSE else InputKind.ARRAY
    if parsed is None or codec is None or kind not in codec.kinds:
        raise UnsupportedMediaTypeError(
            "the inference script has no `input_fn`, and no array can be made of this Content-Type",
            want="one of " + ", ".join(f"`{name}`" for name in codecs.readable(InputKind.ARRAY)),
        )
    return codec.decode(body, kind, parsed)


def require_predictable(model: object) -> None:
    """Refuse at start a model that `predict` could not call.

    Raises:
        LoadError: It is neither a torch module nor has it a method `predict`.
    """
    if not (_is_of(model, "torch.nn", "torch.jit") or callable(getattr(model, "predict", None))):
        raise LoadError(
            "the inference script has no `predict_fn`",
            got=f"a `{type(model).__name__}` from `model_fn`",
            want="`def predict_fn(data, model): ...`; without one, a torch module or a model with a method `predict`",
        )


def predict(data: Any, model: Any) -> object:  # Any: a model of any library, and what it takes
    """Call the model: an XGBoost booster with a DMatrix, a torch module without gradients, else its `predict`."""
    if _is_of(model, "xgboost") and type(model).__name__ == "Booster":
        matrix_class = sys.modules["xgboost"].DMatrix
        matrix = data if isinstance(data, matrix_class) else matrix_class(data)
        return model.predict(matrix, validate_features=False)
    if _is_of(model, "torch.nn", "torch.jit"):
        torch = sys.modules["torch"]
        device = _device(torch)
        tensor = data if torch.is_tensor(data) else torch.as_tensor(data)
        if tensor.is_floating_point() and tensor is not data:
            tensor = tensor.float()
        with torch.no_grad():
            return model.to(device).eval()(tensor.to(device))
    return model.predict(data)


def encode(prediction: Any, accept: str) -> Reply:  # Any: whatever `predict_fn` gives
    """The prediction in the best media type that `accept` allows and that has a form for it.

    Raises:
        NotAcceptableError: There is none.
        PredictError: The prediction is broken.
    """
    detach = getattr(prediction, "detach", None)
    value = detach().cpu().numpy() if callable(detach) else prediction
    offered = codecs.writable()
    refused: NotAcceptableError | None = None
    for essence in media_type.rank(accept, offered):
        codec = codecs.find(essence)
        if codec is None:
            continue
        try:
            return Reply(bytes(codec.encode(value)), essence)
        except NotAcceptableError as error:
            refused = refused or error
    raise refused or NotAcceptableError(
        "nothing to answer with that Accept allows", want="one of " + ", ".join(f"`{name}`" for name in offered)
    )


def _is_of(model: object, *modules: str) -> bool:
    """Whether the model's class, or one that it inherits from, is defined in one of these modules."""
    return any(f"{cls.__module__}.".startswith(f"{name}.") for cls in type(model).__mro__ for name in modules)


def _device(torch: ModuleType) -> Any:  # Any: torch is not there when the types are checked
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
