"""The environment of the container -> Settings; nothing else in the server reads it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

from argosy import contract
from argosy.contract import PlatformVariable, Variable
from argosy.serving import log, placement
from argosy.serving.variables import choice, decimal, ignore, is_true, names, number, paths, platform_number, seconds

REALTIME_DEADLINE_S: Final = 55.0
"""Under the 60 s after which SageMaker stops waiting, so that the client gets the server's own words."""
STREAM_DEADLINE_S: Final = 480.0
"""The 8 minutes that SageMaker gives a streamed answer.

Source:
    https://docs.aws.amazon.com/sagemaker/latest/dg/hosting-faqs.html (read 2026-11-22).
"""
BATCH_DEADLINE_S: Final = 3590.0
"""Under the 3600 s that `ModelClientConfig.InvocationsTimeoutInSeconds` allows at most."""
ALL_ADDRESSES: Final = "0.0.0.0"
"""The platform connects from outside the container."""
_ROWS: Final = 64
_TIMES: Final = 4
"""A model that takes the rows of one invocation takes those of a few; of how many more, the project has to know."""
_MANY_ROWS: Final = 65_536
"""So many rows in a call cost so much that what is the same for each call is nothing beside it."""
DEFAULT_QUEUE: Final = 1024
DEFAULT_PROGRAM: Final = "inference.py"
"""What SAGEMAKER_PROGRAM means when it is not set (sagemaker-inference-toolkit 1.10.1, environment.py)."""
DEFAULT_ACCEPT: Final = "application/json"
"""What SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT means when it is not set (the same file)."""
_MAX_SESSION_TTL_S: Final = 7 * 24 * 3600

LoggedInvocations = Literal["errors", "all", "none"]
BatchStrategy = Literal["SINGLE_RECORD", "MULTI_RECORD"]
_LOGGED: Final[tuple[LoggedInvocations, ...]] = get_args(LoggedInvocations)
_MESSAGES: Final[tuple[log.Messages, ...]] = get_args(log.Messages)
_STRATEGIES: Final[tuple[BatchStrategy, ...]] = get_args(BatchStrategy)


@dataclass(frozen=True, slots=True)
class Batching:
    """How invocations become one call of `predict`.

    Attributes:
        max_batch_size: The most rows in one call out of several invocations; 1 means never more than one invocation.
            None: 64, or four times as many as one invocation has, when invocations are that large themselves.
        max_delay_ms: Milliseconds that an invocation may wait for others; 0 batches only what waits anyway.
    """

    max_batch_size: int | None = None
    max_delay_ms: float = 0.0

    def most_rows(self, each: float) -> int:
        """The most rows in one call out of several invocations that have so many each.

        >>> Batching().most_rows(1), Batching().most_rows(1000), Batching(10).most_rows(1000)
        (64, 4000, 10)
        """
        return self.max_batch_size or max(_ROWS, min(int(_TIMES * each), _MANY_ROWS))

    def most_invocations(self, rows: float) -> int:
        """The most invocations in one call when each has about so many rows; 0 when not even one is small enough."""
        return int(self.most_rows(rows) / max(rows, 1.0) + 0.01)  # the learned number of rows is a little off


@dataclass(frozen=True, slots=True)
class Streaming:
    """Answers that take their time.

    Attributes:
        concurrency: The most async calls or streams at a time in one model process.
        deadline_s: Seconds from the invocation after which a stream is ended.
    """

    concurrency: int = 64
    deadline_s: float = STREAM_DEADLINE_S


@dataclass(frozen=True, slots=True)
class Logs:
    """What is written to the log beside events.

    Attributes:
        invocations: Which invocations have a line.
        emf_namespace: CloudWatch namespace of the metric lines, None for no such lines.
        messages: How much of what an exception of the predictor's says is told.
    """

    invocations: LoggedInvocations = "errors"
    emf_namespace: str | None = None
    messages: log.Messages = "short"


@dataclass(frozen=True, slots=True)
class ScriptPlace:
    """Where an inference script is looked for, and what it is told.

    Attributes:
        told: The script that the project names, absolute or relative to the program's or the artifacts' folder.
        program: `SAGEMAKER_PROGRAM`, a path relative to the folder of the code.
        submit_dir: `SAGEMAKER_SUBMIT_DIRECTORY` when it is a path; the SDK also writes S3 URIs, which are nothing to a
            container without a network.
        default_accept: `SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT`, what the script is told when a request accepts anything.
    """

    told: Path | None = None
    program: str = DEFAULT_PROGRAM
    submit_dir: Path | None = None
    default_accept: str = DEFAULT_ACCEPT


@dataclass(frozen=True, slots=True)
class BatchTransform:
    """What a transform job tells its containers; None where the job was not told it.

    Attributes:
        max_payload_mb: Largest body in MB; 0 knows no limit.
        strategy: One record an invocation, or as many as fit.
        max_concurrent: Invocations at the same time.

    Source:
        contract.BATCH_PAGE, "How SageMaker runs your inference image" (read 2026-11-22).
    """

    max_payload_mb: int | None = None
    strategy: BatchStrategy | None = None
    max_concurrent: int | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What the server is told from outside.

    Attributes:
        predictor: `module:Class`, None when an inference script is served.
        program_dir: Folder that is put first on the predictor's import path, or None.
        model_dir: Folder of the artifacts.
        host: Address to listen on.
        port: TCP port to listen on; 0 means any free one.
        safe_ports: First and last port that a container of a multi-container endpoint may use beside its own; this
            server uses none.
        content_types: Media types that are taken and given; None means what the predictor's annotation can take.
        workers: Number of model processes; when nobody told one, one for each processor.
        workers_are_chosen: Whether nobody told a number, so that the server may choose a smaller one.
        queue: Number of invocations that may wait.
        max_body_bytes: Largest request body.
        receiving_bytes: Bodies that are being received, all together; None: a quarter of the memory, within bounds.
        deadline_s: Seconds after which an unanswered invocation is answered with 503.
        short_path: Whether plain requests may bypass ASGI.
        script: Where an inference script is looked for.
        batching: How invocations become one call.
        streaming: Limits of async calls and streams.
        logs: What is written to the log.
        warm_up: Files with sample inputs that each model process predicts before it is ready.
        session_ttl_s: Seconds that an unused stateful session lives; 0 means that there are no sessions.
        is_multi_model: Whether SageMaker loads and unloads models through `/models`.
        batch_transform: What the transform job says, None outside of one.
    """

    predictor: str | None = None
    program_dir: Path | None = None
    model_dir: Path = Path(contract.MODEL_DIR)
    host: str = ALL_ADDRESSES
    port: int = contract.PORT
    safe_ports: tuple[int, int] | None = None
    content_types: tuple[str, ...] | None = None
    workers: int = 1
    workers_are_chosen: bool = False
    queue: int = DEFAULT_QUEUE
    max_body_bytes: int = contract.megabytes(100)
    receiving_bytes: int | None = None
    deadline_s: float = REALTIME_DEADLINE_S
    short_path: bool = True
    script: ScriptPlace = field(default_factory=ScriptPlace)
    batching: Batching = field(default_factory=Batching)
    streaming: Streaming = field(default_factory=Streaming)
    logs: Logs = field(default_factory=Logs)
    warm_up: tuple[Path, ...] = ()
    session_ttl_s: int = 0
    is_multi_model: bool = False
    batch_transform: BatchTransform | None = None

    @property
    def max_workers(self) -> int:
        """The most model processes that there may be: those told, else one for each processor."""
        return self.workers


def read() -> Settings:
    """The settings of this process; a platform variable that is not understood is told to the log and left out.

    Raises:
        UsageError: A variable of ours is not what it should be; names it.
    """
    return from_environ(os.environ)


def environment() -> Mapping[str, str]:
    """The whole environment, for the processes that this one starts.

    `SM_MODEL_DIR` is in it, as in AWS's own images: scripts written for those read it.
    """
    return {"SM_MODEL_DIR": str(_model_dir(os.environ)), **os.environ}


def set_variables(variables: Mapping[str, str]) -> None:
    """Set variables of this process, for libraries that read them when they are loaded or first used."""
    os.environ.update(variables)


def from_environ(environ: Mapping[str, str]) -> Settings:
    """Settings from the `ARGOSY_*` and `SAGEMAKER_*` variables.

    Raises:
        UsageError: A variable of ours, or the port, is not what it should be; names it.
    """
    program_dir = Path(environ[Variable.PROGRAM_DIR]) if environ.get(Variable.PROGRAM_DIR) else None
    content_types = environ.get(Variable.CONTENT_TYPES)
    batch_transform = _batch_transform(environ)
    told_workers = number(environ, Variable.WORKERS, 0, 0, 256)
    return Settings(
        predictor=environ.get(Variable.PREDICTOR) or None,
        program_dir=program_dir,
        model_dir=_model_dir(environ),
        host=environ.get(Variable.HOST) or ALL_ADDRESSES,
        port=number(environ, PlatformVariable.BIND_TO_PORT, contract.PORT, 0, 65_535),
        safe_ports=_safe_ports(environ),
        content_types=names(content_types) if content_types else None,
        workers=told_workers or cpu_count(),
        workers_are_chosen=not told_workers,
        queue=number(environ, Variable.QUEUE, DEFAULT_QUEUE, 1, 1_000_000),
        max_body_bytes=contract.megabytes(number(environ, Variable.MAX_BODY_MB, 100, 1, 1024)),
        receiving_bytes=contract.megabytes(number(environ, Variable.MAX_RECEIVING_MB, 0, 1, 1_000_000)) or None,
        deadline_s=seconds(environ, Variable.DEADLINE_S, BATCH_DEADLINE_S if batch_transform else REALTIME_DEADLINE_S),
        short_path=environ.get(Variable.SHORT_PATH, "1") != "0",
        script=_script(environ),
        batching=_batching(environ),
        streaming=_streaming(environ),
        logs=_logs(environ),
        warm_up=tuple((program_dir or Path()) / name for name in paths(environ.get(Variable.WARM_UP, ""))),
        session_ttl_s=number(environ, Variable.SESSION_TTL_S, 0, 0, _MAX_SESSION_TTL_S),
        is_multi_model=is_true(environ, PlatformVariable.MULTI_MODEL),
        batch_transform=batch_transform,
    )


def _batching(environ: Mapping[str, str]) -> Batching:
    default = Batching()
    return Batching(
        number(environ, Variable.MAX_BATCH_SIZE, 0, 1, 1_000_000) or None,
        decimal(environ, Variable.MAX_DELAY_MS, default.max_delay_ms, "milliseconds from 0 to 10000", 0, 10_000),
    )


def _streaming(environ: Mapping[str, str]) -> Streaming:
    default = Streaming()
    return Streaming(
        number(environ, Variable.CONCURRENCY, default.concurrency, 1, 10_000),
        seconds(environ, Variable.STREAM_DEADLINE_S, default.deadline_s),
    )


def _logs(environ: Mapping[str, str]) -> Logs:
    return Logs(
        choice(environ, Variable.LOG_INVOCATIONS, _LOGGED),
        environ.get(Variable.EMF_NAMESPACE) or None,
        choice(environ, Variable.LOG_EXCEPTIONS, _MESSAGES),
    )


def _script(environ: Mapping[str, str]) -> ScriptPlace:
    default = ScriptPlace()
    told = environ.get(Variable.INFERENCE_SCRIPT)
    submit_dir = environ.get(PlatformVariable.SUBMIT_DIRECTORY)
    return ScriptPlace(
        told=Path(told) if told else None,
        program=environ.get(PlatformVariable.PROGRAM) or default.program,
        submit_dir=Path(submit_dir) if submit_dir and "://" not in submit_dir else None,
        default_accept=environ.get(PlatformVariable.DEFAULT_ACCEPT) or default.default_accept,
    )


def _batch_transform(environ: Mapping[str, str]) -> BatchTransform | None:
    if not is_true(environ, PlatformVariable.BATCH):
        return None
    strategy = environ.get(PlatformVariable.BATCH_STRATEGY) or None
    known = next((choice for choice in _STRATEGIES if choice == (strategy or "").upper()), None)
    if strategy is not None and known is None:
        ignore(PlatformVariable.BATCH_STRATEGY, strategy, "`SINGLE_RECORD` or `MULTI_RECORD`")
    return BatchTransform(
        max_payload_mb=platform_number(environ, PlatformVariable.MAX_PAYLOAD),
        strategy=known,
        max_concurrent=platform_number(environ, PlatformVariable.MAX_CONCURRENT_TRANSFORMS),
    )


def _safe_ports(environ: Mapping[str, str]) -> tuple[int, int] | None:
    """`XXXX-YYYY`, both inclusive (contract.MULTI_CONTAINER_PAGE, read 2026-11-22)."""
    text = environ.get(PlatformVariable.SAFE_PORT_RANGE)
    if not text:
        return None
    found = re.fullmatch(r"([0-9]{1,5})-([0-9]{1,5})", text)
    first, last = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 0 < first <= last <= 65_535:
        ignore(PlatformVariable.SAFE_PORT_RANGE, text, "two ports, as in `8081-8090`")
        return None
    return first, last


def _model_dir(environ: Mapping[str, str]) -> Path:
    """Where the artifacts are: told outright; else `/opt/ml/model` if anything is in it; else baked into the image.

    Whether SageMaker mounts an empty folder over `/opt/ml/model` when there is no model data is not known, so an empty
    one counts as none.
    """
    told = environ.get(Variable.MODEL_DIR)
    if told:
        return Path(told)
    platform = Path(contract.MODEL_DIR)
    baked = environ.get(Variable.BAKED_MODEL_DIR)
    if baked and not (platform.is_dir() and any(platform.iterdir())):
        return Path(baked)
    return platform


def cpu_count() -> int:
    """The processors that this server may use: fewer than it may run on when its control group has a quota."""
    return len(placement.own_cpus())
