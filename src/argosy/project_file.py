"""What argosy.toml may say, table by table; `project` reads the file, its JSON schema is made of these."""

import datetime
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec

from argosy.marketplace.table import MARKETPLACE_TABLES, Marketplace

FILE_NAME: Final = "argosy.toml"
ALL_MODULES: Final = ("**/*.py",)
"""What enters the image when nothing is said."""

PredictorPath = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
Identifier = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_]\w*$")]
DType = Annotated[str, msgspec.Meta(pattern=r"^(bool|u?int(8|16|32|64)|float(16|32|64)|str)$")]
PythonVersion = Annotated[str, msgspec.Meta(pattern=r"^3\.\d{1,2}$")]
DependencyPath = Annotated[str, msgspec.Meta(pattern=r"^[^\[\]]+(\[[\w., -]+\])?$")]
DebianPackage = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9+.-]+(=([0-9]+:)?[0-9][A-Za-z0-9.+~-]*)?$")]
"""Source: Debian Policy Manual 5.6.7 and 5.6.12, `Package` and `Version` (read 2026-11-22)."""
Namespace = Annotated[str, msgspec.Meta(pattern=r"^[^:\x00-\x1f][^\x00-\x1f]{0,254}$")]
"""Source: PutMetricData, `Namespace`: 1 to 255 characters, no colon first (read 2026-11-22)."""


Flavor = Literal[
    "onnx",
    "sklearn",
    "xgboost",
    "lightgbm",
    "catboost",
    "torch",
    "tensorflow",
    "keras",
    "litert",
    "mxnet",
    "mlflow",
    "huggingface",
]
FLAVORS: Final[Mapping[Flavor, str]] = {
    "onnx": "argosy.flavors.onnx:OnnxModel",
    "sklearn": "argosy.flavors.sklearn:SklearnModel",
    "xgboost": "argosy.flavors.xgboost:XgboostModel",
    "lightgbm": "argosy.flavors.lightgbm:LightgbmModel",
    "catboost": "argosy.flavors.catboost:CatboostModel",
    "torch": "argosy.flavors.torch:TorchModel",
    "tensorflow": "argosy.flavors.tensorflow:TensorflowModel",
    "keras": "argosy.flavors.keras:KerasModel",
    "litert": "argosy.flavors.litert:LitertModel",
    "mxnet": "argosy.flavors.mxnet:MxnetModel",
    "mlflow": "argosy.flavors.mlflow:MlflowModel",
    "huggingface": "argosy.flavors.huggingface:HuggingfaceModel",
}
"""The predictor of the server that serves a saved model of each framework."""


class ModelInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of `inputs` in `[model.options]`: one array that the model takes.

    Attributes:
        name: As the model names it.
        dtype: As numpy names it, `str` for text.
        shape: Length by dimension; a word, as `"rows"`, stands for any length.
    """

    name: str
    dtype: DType
    shape: tuple[Annotated[int, msgspec.Meta(ge=0)] | str, ...]


class FlavorOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"class_": "class"}):
    """The `[model.options]` table: what the files of the model do not say; all of it is optional.

    Attributes:
        method: Which method of a scikit-learn, XGBoost, LightGBM or CatBoost model answers; None means `predict`.
        class_: `module:Class` in the project that a PyTorch `state_dict` or safetensors file is loaded into.
        arguments: Keyword arguments of that class.
        inputs: The arrays that the model takes, where it does not say itself.
        outputs: Which outputs are answered, in this order; none named: all.
        row_wise: Whether each row of the result depends on its own row alone, so that invocations may share a call;
            None means what is known of the model.
        task: The pipeline's task, as transformers names it.
        signature: Which signature of a SavedModel answers.
        trusted: Types in a skops file that may be made although skops does not know them.
    """

    method: Identifier | None = None
    class_: PredictorPath | None = None
    arguments: dict[str, Any] = {}  # whatever JSON can hold; `project` refuses the rest
    inputs: tuple[ModelInput, ...] = ()
    outputs: tuple[str, ...] = ()
    row_wise: bool | None = None
    task: str | None = None
    signature: str | None = None
    trusted: tuple[str, ...] = ()


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[model]` table: what is served: a predictor, an inference script, or a saved model by its flavor.

    Attributes:
        predictor: `module:Class`, imported from the project folder; this, `inference` or `flavor`.
        artifacts: Folder of the model's files, relative to the project; None when there are none.
        bake: Whether `argosy build` puts the artifacts into the image; `argosy pack` makes model.tar.gz either way.
        inference: A script with SageMaker's `model_fn` and the like, relative to the project, also one in the artifacts
            (`model/code/inference.py`); this, `predictor` or `flavor`.
        flavor: The framework that saved the model in `artifacts`, which is then served with no code; this, `predictor`
            or `inference`.
        file: Which file, or folder, of the artifacts the flavor loads. Needed where several could be meant, and for a
            pickle: naming it is your word that the code in it may run.
        options: What the flavor is told beside.
    """

    predictor: PredictorPath | None = None
    artifacts: str | None = None
    bake: bool = True
    inference: str | None = None
    flavor: Flavor | None = None
    file: str | None = None
    options: FlavorOptions = FlavorOptions()


class Batching(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[serving.batching]` table: how invocations that come at the same time become one call of `predict`.

    Attributes:
        max_batch_size: The most rows in one call out of several invocations; 1 gives each invocation its own. By
            default 64, or four times as many as one invocation has, when invocations are that large themselves.
        max_delay_ms: Milliseconds that an invocation may wait for others; 0 batches only what waits anyway.
    """

    max_batch_size: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    max_delay_ms: Annotated[float, msgspec.Meta(ge=0, le=10_000)] = 0.0


class Serving(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[serving]` table: how the server in the image behaves.

    Attributes:
        content_types: Media types that are taken and given; the first stands in for a missing Content-Type. None means
            what the annotation of `predict` can take: JSON and CSV for arrays and lists, anything for `bytes`.
        workers: Model processes; 0 means as many as memory and processors allow.
        queue: Invocations that may wait for a model process; one more is answered with 503.
        max_body_mb: Largest request body, in MB; larger ones are answered with 413.
        deadline_s: Seconds after which an unanswered invocation is answered with 503, below SageMaker's own 60;
            None means 55, and 3590 in a transform job, which waits up to an hour.
        stream_deadline_s: Seconds from its invocation after which a streamed answer is ended; SageMaker's own are 480.
        concurrency: The most calls of an `async def predict`, or streams, at a time in one model process.
        batching: The table `[serving.batching]`.
        warm_up: Files with sample inputs, relative to the project; each model process predicts them before `/ping` says
            200. They enter the image; what is in them is told by the suffix, as in `one.json` or `rows.csv`.
        sessions: Whether clients may open stateful sessions.
        session_ttl_s: Seconds that an unused session lives.
        log_invocations: Which invocations have a line in the log, never with a body: `errors`, `all` or `none`.
        log_exceptions: How much of what an exception of the predictor's says is in the log, beside its type and places:
            `short` (200 characters), `whole` or `none`.
        emf_namespace: CloudWatch namespace of the metrics in the log (embedded metric format); None writes none.
        bidirectional: Whether the image says, by its label, that it speaks the bidirectional WebSocket.
        multi_model: Whether the image says, by its label, that it can serve a multi-model endpoint.
    """

    content_types: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] | None = None
    workers: Annotated[int, msgspec.Meta(ge=0, le=256)] = 0
    queue: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1024
    max_body_mb: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 100
    deadline_s: Annotated[float, msgspec.Meta(ge=0.001, le=3600)] | None = None
    stream_deadline_s: Annotated[float, msgspec.Meta(ge=0.001, le=3600)] = 480.0
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 64
    batching: Batching = Batching()
    warm_up: tuple[str, ...] = ()
    sessions: bool = False
    session_ttl_s: Annotated[int, msgspec.Meta(ge=1, le=604_800)] = 1200
    log_invocations: Literal["errors", "all", "none"] = "errors"
    log_exceptions: Literal["short", "whole", "none"] = "short"
    emf_namespace: Namespace | None = None
    bidirectional: bool = False
    multi_model: bool = False


class ImageTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[image]` table: what the image is made of.

    Attributes:
        base: `debian`, or an image reference as skopeo names it.
        python: `3.x` of the base; None means whatever the base has.
        dependencies: What the predictor needs, one or a list, relative to the project: a requirements file,
            `pyproject.toml`, `uv.lock`, a `pylock.toml`, a wheel or a folder of wheels, the folder of a package; extras
            and dependency groups in brackets, as in `pyproject.toml[gpu]`. None when it needs nothing, or what the
            saved model of a flavor needs.
        include: Patterns of the files that enter the image beside the artifacts; each has to match something. A pattern
            with `*`, `?` or `[` never matches the artifacts, what is hidden, what lies in a folder `__pycache__`,
            `build`, `dist`, `node_modules`, `tests`, `venv` or another virtual environment, or behind a link to a
            folder; a whole path names any file.
        exclude: Patterns of the files and folders that do not enter it.
        environment: Variables set in the image, beside `PATH`.
        system_packages: Debian packages that are added to the base image with all that they need, as `libgomp1` or
            `libgomp1=12.2.0-14`.
        ignore_missing_libraries: Libraries that the image may lack although a program names them, as `libtbb.so.12`;
            patterns may have `*`.
        prune: Whether tests, caches, manuals and, without a C compiler in the image, what only such a compiler reads
            are left out of what is installed.
        unpruned: Distributions of which nothing is left out.
        bytecode: Whether modules enter the image compiled, too: larger, built slower, and the first start is faster. It
            takes the image's Python version on the machine that builds.
        allow_secrets: Reason by place of what only looks like a secret: path in the image, variable, label, `history`.
    """

    base: str = "debian"
    python: PythonVersion | None = None
    dependencies: DependencyPath | tuple[DependencyPath, ...] | None = None
    include: tuple[str, ...] = ALL_MODULES
    exclude: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    system_packages: tuple[DebianPackage, ...] = ()
    ignore_missing_libraries: tuple[str, ...] = ()
    prune: bool = True
    unpruned: tuple[str, ...] = ()
    bytecode: bool = False
    allow_secrets: dict[str, Annotated[str, msgspec.Meta(pattern=r"\S")]] = {}


class Waiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry `[[check.waivers]]`: a clause that may fail for a while.

    Attributes:
        clause: Id of the clause, as the report of `argosy check` names it.
        reason: Why it may fail.
        until: The last day on which it may, a date as in `2027-03-01`.
    """

    clause: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    reason: Annotated[str, msgspec.Meta(pattern=r"\S")]
    until: datetime.date


class CheckTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `[check]` table: how `argosy check` judges the project and its image.

    Attributes:
        waivers: Clauses that may fail for a while, each a table `[[check.waivers]]`.
    """

    waivers: tuple[Waiver, ...] = ()


class WaiverFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of waivers alone, for an image that has no project."""

    check: CheckTable


class ProjectFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of argosy.toml; only `[model]` is required."""

    model: Model
    serving: Serving = Serving()
    image: ImageTable = ImageTable()
    check: CheckTable = CheckTable()
    marketplace: Marketplace | None = None


TABLES: Final[Mapping[str, type[msgspec.Struct]]] = {
    "model": Model,
    "model.options": FlavorOptions,
    "model.options.inputs": ModelInput,
    "serving": Serving,
    "serving.batching": Batching,
    "image": ImageTable,
    "check": CheckTable,
    "check.waivers": Waiver,
    **MARKETPLACE_TABLES,
}
"""The heading of each table and what it may hold."""
