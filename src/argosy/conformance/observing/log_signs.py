"""What lines of a log say of a container that lacks what SageMaker does not give it."""

import re
from typing import Final

# The names of error codes are words in capitals: ModuleNotFoundError and FileNotFoundError hold "enotfound" too.
NETWORK_WANTED: Final = re.compile(
    r"\b(?:ENOTFOUND|EAI_AGAIN)\b"
    r"|(?i:temporary failure in name resolution|name or service not known|nameresolutionerror|getaddrinfo"
    r"|could not resolve host|network is unreachable|failed to resolve (?:host|'[^']+' [(\[])|no such host"
    r"|unable to locate credentials|nocredentialserror|failed to establish a new connection|maxretryerror)"
)
_REFUSED: Final = r"((?i:read-only file system|permission denied)|\b(?:EROFS|EACCES)\b)"
MODEL_WRITTEN: Final = re.compile(rf"{_REFUSED}.*/opt/ml/model|/opt/ml/model.*{_REFUSED}")
SHARED_MEMORY_FULL: Final = re.compile(
    r"(?i:no space left on device.*/dev/shm|/dev/shm.*no space left on device|insufficient shared memory"
    r"|(?:unable|failed) to \w+ shared memory|out of shared memory)"
)


def is_telling(line: str) -> bool:
    """Whether a line says that the network, a writable model or shared memory is missed."""
    return any(pattern.search(line) for pattern in (NETWORK_WANTED, MODEL_WRITTEN, SHARED_MEMORY_FULL))
