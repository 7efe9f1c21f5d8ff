"""The environment of the container -> Settings; nothing else in the server reads it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from argosy import contract
from argosy.contract import Variable
from argosy.errors import UsageError

REALTIME_DEADLINE_S = 55.0
"""Under the 60 s after which SageMaker stops waiting, so that the client gets the server's own words."""
ALL_ADDRESSES = "0.0.0.0"
"""The platform connects from outside the container."""
DEFAULT_QUEUE = 1024
BATCH_DEADLINE_S = 3590.0
"""Under the 3600 s that `ModelClientConfig.InvocationsTimeoutInSeconds` allows at most."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the server is told from outside.

    Attributes:
        predictor: `module:Class`.
        program_dir: Folder that is put first on the predictor's import path, or None.
        model_dir: Folder of the artifacts.
        host: Address to listen on.
        port: TCP port to listen on; 0 means any free one.
        content_types: Media types that are taken and given; None means what the predictor's annotation can take.
        workers: Number of model processes.
        queue: Number of invocations that may wait.
        max_body_bytes: Largest request body.
        deadline_s: Seconds after which an unanswered invocation is answered with 503.
        short_path: Whether plain requests may bypass ASGI.
    """

    predictor: str
    program_dir: Path | None = None
    model_dir: Path = Path(contract.MODEL_DIR)
    host: str = ALL_ADDRESSES
    port: int = contract.PORT
    content_types: tuple[str, ...] | None = None
    workers: int = 1
    queue: int = DEFAULT_QUEUE
    max_body_bytes: int = contract.megabytes(100)
    deadline_s: float = REALTIME_DEADLINE_S
    short_path: bool = True


def read() -> Settings:
    """The settings of this process.

    Raises:
        UsageError: A variable is missing or is not what it should be; names it.
    """
    return from_environ(os.environ)


def environment() -> Mapping[str, str]:
    """The whole environment, for the processes that this one starts."""
    return os.environ


def from_environ(environ: Mapping[str, str]) -> Settings:
    """Settings from the `ARGOSY_*` and `SAGEMAKER_*` variables.

    Raises:
        UsageError: A variable is missing or is not what it should be; names it.
    """
    predictor = environ.get(Variable.PREDICTOR)
    if not predictor:
        raise UsageError(
            f"`{Variable.PREDICTOR}` is not set", want="`module:Class`", hint="argosy serve PROJECT sets it"
        )
    program_dir = environ.get(Variable.PROGRAM_DIR)
    content_types = environ.get(Variable.CONTENT_TYPES)
    is_batch = environ.get("SAGEMAKER_BATCH", "").lower() == "true"
    return Settings(
        predictor=predictor,
        program_dir=Path(program_dir) if program_dir else None,
        model_dir=_model_dir(environ),
        host=environ.get(Variable.HOST) or ALL_ADDRESSES,
        port=_number(environ, "SAGEMAKER_BIND_TO_PORT", contract.PORT, 0, 65_535),
        content_types=_names(content_types) if content_types else None,
        workers=_number(environ, Variable.WORKERS, 0, 0, 256) or cpu_count(),
        queue=_number(environ, Variable.QUEUE, DEFAULT_QUEUE, 1, 1_000_000),
        max_body_bytes=contract.megabytes(_number(environ, Variable.MAX_BODY_MB, 100, 1, 1024)),
        deadline_s=_seconds(environ, Variable.DEADLINE_S, BATCH_DEADLINE_S if is_batch else REALTIME_DEADLINE_S),
        short_path=environ.get(Variable.SHORT_PATH, "1") != "0",
    )


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


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in text.split(",") if name.strip())


def _number(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environ.get(name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise UsageError(f"`{name}` is wrong", got=f"`{text}`", want=f"a whole number from {low} to {high}")
    return int(text)


def _seconds(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name)
    if not text:
        return default
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise UsageError(f"`{name}` is wrong", got=f"`{text}`", want="seconds, more than 0 and at most 3600")
    return seconds


def cpu_count() -> int:
    """The processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
