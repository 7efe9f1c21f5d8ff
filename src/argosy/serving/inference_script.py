"""SageMaker's inference functions, unchanged: an inference.py -> a Predictor.

`model_fn(model_dir)`, `input_fn(body, content_type)`, `predict_fn(data, model)`, `output_fn(prediction, accept)`, or
`transform_fn(model, body, content_type, accept)` in place of the last three; each may take `context` as well.
`pre_model_fn(model_dir)` is called before the model is loaded and `model_warmup_fn(model_dir, model)` after.

Source:
    aws/sagemaker-inference-toolkit 1.10.1: transformer.py, content_types.py, environment.py (read 2026-11-22).
"""

import importlib
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import ClassVar, Final

from argosy import media_type
from argosy.contract import Variable
from argosy.errors import (
    BodyTooLargeError,
    DecodeError,
    InvocationError,
    LoadError,
    NotAcceptableError,
    PredictError,
    UnsupportedMediaTypeError,
)
from argosy.media_type import MediaType
from argosy.serving.codecs.text import to_text
from argosy.serving.context import Reply, current_invocation
from argosy.serving.predictor import Predictor
from argosy.serving.script import defaults
from argosy.serving.script.context import ScriptContext, system_properties
from argosy.serving.settings import DEFAULT_ACCEPT, Settings

ScriptFunction = Callable[..., object]

_TEXT_TYPES: Final = frozenset({"application/json", "text/csv"})
"""What a script gets as `str`; everything else is `bytes` (content_types.py, UTF8_TYPES)."""
_MISSING_CONTENT_TYPE: Final = "application/json"
_ARGUMENTS: Final = {
    "pre_model_fn": ("model_dir",),
    "model_fn": ("model_dir",),
    "model_warmup_fn": ("model_dir", "model"),
    "input_fn": ("body", "content_type"),
    "predict_fn": ("data", "model"),
    "output_fn": ("prediction", "accept"),
    "transform_fn": ("model", "body", "content_type", "accept"),
}
_REFUSALS: Final[dict[int, type[InvocationError]]] = {
    406: NotAcceptableError,
    413: BodyTooLargeError,
    415: UnsupportedMediaTypeError,
}
"""What a status stands for that a script refuses with; every other 4xx is a `DecodeError`, 400."""


@dataclass(frozen=True, slots=True)
class Functions:
    """What a script defines, each as a function that takes the context last; None what it leaves out."""

    pre_model_fn: ScriptFunction | None = None
    model_fn: ScriptFunction | None = None
    model_warmup_fn: ScriptFunction | None = None
    input_fn: ScriptFunction | None = None
    predict_fn: ScriptFunction | None = None
    output_fn: ScriptFunction | None = None
    transform_fn: ScriptFunction | None = None


class InferenceScript(Predictor):
    """Serves the functions of a script; each invocation is given to them alone.

    Attributes:
        functions: Of the script.
        default_accept: What the script is told when a request accepts anything.
        takes_any_accept: The script reads Accept itself, and may know types that no codec knows.
    """

    row_wise: ClassVar[bool | None] = False
    takes_any_accept: ClassVar[bool] = True
    functions: ClassVar[Functions] = Functions()
    default_accept: ClassVar[str] = DEFAULT_ACCEPT

    def load(self, model_dir: Path) -> None:
        """Load the model with `model_fn`.

        Raises:
            LoadError: A function is missing that has no default for this model.
            Exception: Anything that the script raises.
        """
        self._properties = system_properties(model_dir)
        context = ScriptContext(self._properties)
        folder = str(model_dir)
        script = self.functions
        if script.pre_model_fn is not None:
            script.pre_model_fn(folder, context)
        self._model = defaults.load_model(folder) if script.model_fn is None else script.model_fn(folder, context)
        if script.transform_fn is None and script.predict_fn is None:
            defaults.require_predictable(self._model)
        if script.model_warmup_fn is not None:
            script.model_warmup_fn(folder, self._model, context)

    def predict(self, body: bytes) -> Reply:
        """Answer one invocation.

        Raises:
            InvocationError: The script, or a default, refuses the request.
            Exception: Anything else that the script raises, a `ValueError` of `input_fn` too: its own fault.
        """
        invocation = current_invocation()
        context = ScriptContext(self._properties, invocation)
        content_type = invocation.content_type or _MISSING_CONTENT_TYPE
        accept = self.default_accept if invocation.accept in ("", "*/*") else invocation.accept
        result = self._transform(body, content_type, accept, context)
        if context.status >= 400:
            raise _refused(context.status, context.phrase) or PredictError("the inference script says that it failed")
        return _reply(result, context.content_type, accept, self.default_accept)

    def _transform(self, body: bytes, content_type: str, accept: str, context: ScriptContext) -> object:
        script = self.functions
        stage: type[InvocationError] = UnsupportedMediaTypeError
        try:
            if script.transform_fn is not None:
                return script.transform_fn(self._model, _given(body, content_type), content_type, accept, context)
            if script.input_fn is not None:
                value = script.input_fn(_given(body, content_type), content_type, context)
            else:
                value = defaults.decode(body, content_type)
            stage = NotAcceptableError
            if script.predict_fn is not None:
                prediction = script.predict_fn(value, self._model, context)
            else:
                prediction = defaults.predict(value, self._model)
            if script.output_fn is not None:
                return script.output_fn(prediction, accept, context)
            return defaults.encode(prediction, accept)
        except InvocationError:
            raise
        except Exception as error:
            refusal = _refusal(error, stage)
            if refusal is None:
                raise
            raise refusal from error


def find_script(model_dir: Path, settings: Settings) -> Path | None:
    """The script to serve: the one that is told; else the one where AWS's toolkits look; None when there is none.

    Looked for in this order: `ARGOSY_INFERENCE_SCRIPT`, in the program's folder and then in the artifacts; else
    `SAGEMAKER_PROGRAM` (`inference.py`) in `SAGEMAKER_SUBMIT_DIRECTORY` and then in `code/` of the artifacts. On a
    multi-model endpoint the artifacts come first, and `code/` in any case: each model has its own, and what lies
    elsewhere is for those without.

    Raises:
        LoadError: The one that is told is not there.
    """
    shared, own = _places(model_dir, settings)
    places = (*own, shared) if settings.is_multi_model else (shared, *own)
    found = next((path for path in places if path.is_file()), None)
    if found is None and settings.script.told is not None:
        raise LoadError(
            f"`{Variable.INFERENCE_SCRIPT}` names a file that is not there",
            got=f"`{settings.script.told}`",
            want=" or ".join(f"`{path}`" for path in places),
        )
    return found


def find_shared_script(settings: Settings) -> Path | None:
    """The script of those models of a multi-model endpoint that bring none of their own; None when there is none."""
    shared, own = _places(settings.model_dir, settings)
    return shared if shared not in own and shared.is_file() else None


def own_predictor_class(model_dir: Path, settings: Settings) -> type[InferenceScript]:
    """The class for one model of a multi-model endpoint, in a process that serves no other.

    Its script, and what lies beside it, may have the names of another's: what this process has from the program's
    folder and that of the shared script is forgotten before an own one is imported. Libraries stay as they are.

    Raises:
        LoadError: The model has no script and there is no shared one, or `predictor_class` refuses it.
    """
    script, shared = find_script(model_dir, settings), find_shared_script(settings)
    if script is None:
        raise LoadError("the model has no inference script", want=f"`code/{settings.script.program}`", where=model_dir)
    if shared is not None and script != shared:
        _forget({folder.resolve() for folder in (shared.parent, settings.program_dir) if folder is not None})
    return predictor_class(script, settings.script.default_accept)


def predictor_class(path: Path, default_accept: str = DEFAULT_ACCEPT) -> type[InferenceScript]:
    """Import a script, its folder first on the import path, so that what lies beside it can be imported too.

    Args:
        path: The script.
        default_accept: What it is told when a request accepts anything.

    Raises:
        LoadError: It cannot be imported, defines none of the functions, or one with arguments that do not fit.
    """
    module = _imported(path)
    found = {
        name: _with_context(getattr(module, name), name, path)
        for name in _ARGUMENTS
        if callable(getattr(module, name, None))
    }
    if not found:
        raise LoadError("the inference script defines none of SageMaker's functions", want="`model_fn`", where=path)
    alternatives = [name for name in ("input_fn", "predict_fn", "output_fn") if name in found]
    if "transform_fn" in found and alternatives:
        raise LoadError(
            "the inference script defines `transform_fn` and what it stands for",
            got=", ".join(f"`{name}`" for name in alternatives),
            where=path,
        )
    return type(InferenceScript.__name__, (InferenceScript,), {
        "functions": Functions(**found),
        "default_accept": default_accept,
        "__doc__": f"Serves `{path.name}`.",
    })  # fmt: skip


def _places(model_dir: Path, settings: Settings) -> tuple[Path, list[Path]]:
    """Where a script may lie that is not the model's own, and where one that is."""
    place = settings.script
    program = place.program if place.program.endswith(".py") else f"{place.program}.py"
    in_code = model_dir / "code" / program
    if place.told is None:
        return (place.submit_dir / program if place.submit_dir is not None else in_code), [in_code]
    own = [model_dir / place.told]
    return (settings.program_dir or Path()) / place.told, [*own, in_code] if settings.is_multi_model else own


def _forget(folders: set[Path]) -> None:
    """Have the modules and packages that lie in these folders imported anew when somebody asks for them."""
    found = {name for name, module in list(sys.modules.items()) if "." not in name and _lies_in(module, folders)}
    for name in [name for name in sys.modules if name.partition(".")[0] in found]:
        del sys.modules[name]


def _lies_in(module: ModuleType, folders: set[Path]) -> bool:
    known = getattr(module, "__dict__", {})  # a module's own `__getattr__` may import, or raise
    places = [*(known.get("__path__") or ()), known.get("__file__")]
    return any(isinstance(place, str) and Path(place).resolve().parent in folders for place in places)


def _imported(path: Path) -> ModuleType:
    folder = str(path.parent.resolve())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        module = importlib.import_module(path.stem)
    except (Exception, SystemExit) as error:
        raise LoadError(
            "the inference script cannot be imported", got=f"{type(error).__name__}: {error}", where=path
        ) from error
    file = getattr(module, "__file__", None)
    if file is None or Path(file).resolve() != path.resolve():
        raise LoadError(
            f"the inference script's name is that of another module, `{path.stem}`",
            where=path,
            hint="rename the script, to `inference.py` for example",
        )
    return module


def _with_context(function: ScriptFunction, name: str, where: Path) -> ScriptFunction:
    """A script's function as one that always takes the context last.

    The toolkit gives the context to whatever takes one argument more. An argument with a default value of its own, and
    without `context` in its name, is not meant for it.

    Raises:
        LoadError: The function takes neither as many arguments as it is given nor one more.
    """
    count = len(_ARGUMENTS[name])
    signature = inspect.signature(function)
    positional = [p for p in signature.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    extra = positional[count] if len(positional) > count else None
    takes_context = extra is not None and (extra.default is extra.empty or "context" in extra.name.lower())
    try:
        signature.bind(*range(count + takes_context))
    except TypeError:
        raise LoadError(
            f"`{name}` of the inference script takes other arguments than it is given",
            got=f"`{name}{signature}`",
            want=f"`{name}({', '.join(_ARGUMENTS[name])})`, or with `context` as one more",
            where=where,
        ) from None
    return function if takes_context else lambda *arguments: function(*arguments[:-1])


def _given(body: bytes, content_type: str) -> bytes | str:
    """The body as the toolkit gives it to a script."""
    parsed = media_type.parse(content_type)
    return to_text(body, parsed) if parsed is not None and parsed.essence in _TEXT_TYPES else body


def _reply(result: object, said: str | None, accept: str, default_accept: str) -> Reply:
    """What `output_fn` or `transform_fn` returned, as an answer.

    Args:
        result: A body, `(body, content_type)`, a werkzeug response (the scikit-learn toolkit's `worker.Response`), or
            anything else, which is encoded as what `accept` allows.
        said: The media type that the script set in the context, or None.
        accept: What the script was told.
        default_accept: The media type of a body for which `accept` names only ranges.
    """
    if isinstance(result, Reply):
        return result
    if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], str):
        result, said = result
    read = getattr(result, "get_data", None)
    if callable(read):
        status = getattr(result, "status_code", 200)
        said, result = getattr(result, "mimetype", None) or said, read()
        if status >= 400:
            raise _refused(status, "") or PredictError("the inference script answers with an error", got=status)
    if isinstance(result, str):
        result = result.encode()
    if isinstance(result, bytes | bytearray | memoryview):
        return Reply(bytes(result), said or _whole_type(accept) or default_accept)
    return defaults.encode(result, said or accept)


def _whole_type(accept: str) -> str | None:
    """The media type that an Accept header field likes best, or None when it names only ranges."""
    ranges = [found for found in media_type.parse_accept(accept) if found.specificity >= 2 and found.quality > 0]
    best = max(ranges, key=lambda found: found.quality, default=None)
    return str(MediaType(best.type, best.subtype, best.parameters)) if best is not None else None


def _refusal(error: Exception, stage: type[InvocationError]) -> InvocationError | None:
    """What an exception of a script says about the request, None when it says nothing: then it is the script's fault.

    Told by what the exception is, so that the toolkits need not be installed: `BaseInferenceToolkitError` has a
    `status_code`, werkzeug's `HTTPException` a `code`; `UnsupportedFormatError` is 415 from the input and 406 from
    the output.
    """
    names = {cls.__name__ for cls in type(error).__mro__}
    if "UnsupportedFormatError" in names:
        return stage("the inference script does not know this media type")
    status = getattr(error, "status_code", None)
    if status is None and callable(getattr(error, "get_response", None)):
        status = getattr(error, "code", None)
    said = getattr(error, "message", None) or getattr(error, "description", None) or str(error)
    return _refused(status, str(said)) if isinstance(status, int) else None


def _refused(status: int, said: str) -> InvocationError | None:
    """The error that is answered with a 4xx status, None for another status."""
    if not 400 <= status < 500:
        return None
    return _REFUSALS.get(status, DecodeError)(said or "the inference script refuses the request")
