"""From the start of the container to its first healthy answer, with nothing from outside."""

from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, skipped, unknown
from argosy.conformance.clause import fact, must, should
from argosy.conformance.observing.log_signs import MODEL_WRITTEN, NETWORK_WANTED, SHARED_MEMORY_FULL
from argosy.conformance.scenes.endpoint import Isolation, Start
from argosy.conformance.sources import ISOLATION_PAGE
from argosy.contract import HOSTING_PAGE, SHARED_MEMORY, STARTUP

_SOON_S: Final = 240.0
"""What SageMaker gave until 2023, and what other tools still wait for."""
_EARLY_S: Final = 10.0
"""A container that is itself slow to start opens no port before; a model is meant here."""


def _port(start: Start) -> Verdict:
    if start.failure:
        return failed("the container could not be started", Evidence("start", start.failure, None, start.log))
    if start.accepted_s is None:
        if cause := _cause(start):
            return skipped(f"it did not live long enough: see {cause}")
        return failed(f"nothing listens {_after(start)}", *endings(start))
    if start.is_loopback_only:
        return failed("it listens on 127.0.0.1 only", Evidence("the listening sockets", "127.0.0.1"))
    return passed(f"a connection was taken after {start.accepted_s:.1f} s")


def _healthy(start: Start) -> Verdict:
    if start.healthy_s is not None and start.healthy_s > STARTUP.value:
        return failed(f"200 after {start.healthy_s:.0f} s, want at most {STARTUP.value:g} s", *endings(start))
    if start.healthy_s is not None:
        return passed(f"200 after {start.healthy_s:.1f} s")
    if cause := _cause(start):
        return skipped(f"it did not get healthy: see {cause}")
    return failed(f"no 200 {_after(start)}", *endings(start))


def _soon(start: Start) -> Verdict:
    if start.healthy_s is None:
        return skipped("it did not get healthy")
    if start.healthy_s > _SOON_S:
        return failed(f"200 after {start.healthy_s:.0f} s, want at most {_SOON_S:g} s", *endings(start))
    return passed(f"200 after {start.healthy_s:.1f} s")


def _early(start: Start) -> Verdict:
    if start.accepted_s is None:
        return skipped("nothing listened")
    when = f"a connection was taken after {start.accepted_s:.1f} s"
    was_loading = any(exchange.is_accepted and exchange.status != 200 for exchange in start.pings)
    if start.accepted_s > _EARLY_S and not was_loading:
        return failed(f"{when}, and the first answer was 200: it listens only once the model is loaded")
    return passed(when)


def _offline(isolation: Isolation) -> Verdict:
    signs = [line for line in isolation.log if NETWORK_WANTED.search(line)]
    wanted = [Evidence("what it tried to reach", attempt) for attempt in isolation.attempts[:4]]
    wanted += [_log(signs)] if signs else []
    troubled = not isolation.is_healthy or isolation.server_errors > 0
    if signs and troubled:
        return failed("it wants the network or credentials", *wanted)
    if not isolation.is_offline:
        return unknown(
            f"a {isolation.kind} of this machine is not cut off from its network", decide="--container sandbox"
        )
    if not isolation.is_healthy:
        return skipped("it did not get healthy, and its log does not say that the network is missed", *wanted)
    if wanted:
        return passed("it gets healthy without, though it looks for the network", *wanted)
    return passed("it gets healthy with no network and no credentials")


def _read_only_model(isolation: Isolation) -> Verdict:
    signs = [line for line in isolation.log if MODEL_WRITTEN.search(line)]
    if signs and (not isolation.is_healthy or isolation.server_errors):
        return failed("it writes to /opt/ml/model", _log(signs))
    if not isolation.is_read_only:
        return unknown(
            "a project reads its artifacts where they are, and there they can be written to",
            decide="--container sandbox",
        )
    if not isolation.has_mount:
        return unknown(
            "the image's own /opt/ml/model cannot be made read-only here; give its files with --model-data",
            decide="--model-data FILE",
        )
    if not isolation.is_healthy:
        return skipped("it did not get healthy, and its log does not say that it writes to /opt/ml/model")
    return passed("it gets healthy while /opt/ml/model is read-only", *([_log(signs)] if signs else []))


def _shared_memory(isolation: Isolation) -> Verdict:
    signs = [line for line in isolation.log if SHARED_MEMORY_FULL.search(line)]
    if signs and (not isolation.is_healthy or isolation.server_errors):
        return failed("it wants more shared memory than there is", _log(signs))
    if not isolation.is_offline:
        return unknown(f"a {isolation.kind} of this machine has this machine's /dev/shm", decide="--container sandbox")
    if not isolation.is_healthy:
        return skipped("it did not get healthy, and its log does not say that shared memory is short")
    return passed("it gets along with a /dev/shm of 64 MB", *([_log(signs)] if signs else []))


def _cause(start: Start) -> str | None:
    """The clause whose breach keeps the container from getting healthy, as its log tells."""
    for clause_id, pattern in (
        ("start-offline", NETWORK_WANTED),
        ("start-read-only-model", MODEL_WRITTEN),
        ("start-shared-memory", SHARED_MEMORY_FULL),
    ):
        if any(pattern.search(line) for line in start.log):
            return clause_id
    return None


def _after(start: Start) -> str:
    if start.exit_code is not None:
        when = f"before it ended with exit code {start.exit_code} after {start.waited_s:.1f} s"
    else:
        when = f"within {start.limit_s:g} s"
    return when if start.has_artifacts else f"{when}; it was given no artifacts, they come with --model-data"


def endings(start: Start) -> tuple[Evidence, ...]:
    """The last health check, and how the container ended, of a start that did not get healthy."""
    seen = [exchange.evidence for exchange in start.pings[-1:]]
    if start.exit_code is not None:
        seen.append(Evidence("wait", f"exit code {start.exit_code}", round(start.waited_s, 1)))
    log = Evidence("the end of the log", f"{len(start.log)} lines", None, start.log)
    return (*seen, log) if start.log else tuple(seen)


def _log(lines: list[str]) -> Evidence:
    return Evidence("the log", f"{len(lines)} lines", None, tuple(lines[-4:]))


_START: Final[Group[Start]] = Group("start", Start, causes=("image-platform", "image-serve", "image-libraries"))
_ISOLATION: Final[Group[Isolation]] = Group("start", Isolation)

CHECKS: Final[tuple[Check[Start] | Check[Isolation], ...]] = (
    _START.check(
        must(
            "start-port",
            HOSTING_PAGE,
            "The server listens on port 8080 of all addresses.",
            "bind 0.0.0.0:8080",
            rows="C04 F04 F25 N11",
        ),
        _port,
    ),
    _START.check(
        must(
            "start-healthy",
            HOSTING_PAGE,
            "GET /ping is answered with 200 within 8 minutes of the start.",
            "answer GET /ping with 200 and an empty body once the model is loaded; look in the log for why it is not",
            rows="C06 F04 F05 S09",
        ),
        _healthy,
        "start-port",
    ),
    _START.check(
        should(
            "start-soon",
            HOSTING_PAGE,
            "GET /ping is 200 within 4 minutes: the buyer's instance may be slower than this machine.",
            "load less, load in parallel, or give the model in a format that is mapped and not parsed",
            rows="C06 S09",
        ),
        _soon,
        "start-healthy",
    ),
    _START.check(
        fact(
            "start-port-early",
            HOSTING_PAGE,
            "The port is open while the model is loaded.",
            "listen first and load then, and answer /ping with 503 meanwhile: who waits sees that it is at work",
            rows="S06",
        ),
        _early,
        "start-port",
    ),
    _ISOLATION.check(
        must(
            "start-offline",
            ISOLATION_PAGE,
            "The container starts and answers with no network and no AWS credentials.",
            "bring every file and dependency in the image or in model.tar.gz; download nothing at run time",
            rows="N01 N02 F08",
        ),
        _offline,
    ),
    _ISOLATION.check(
        must(
            "start-read-only-model",
            HOSTING_PAGE,
            "The container does not write to /opt/ml/model.",
            "write to /tmp, and copy from /opt/ml/model what must be changed",
            rows="N03",
        ),
        _read_only_model,
    ),
    _ISOLATION.check(
        must(
            "start-shared-memory",
            SHARED_MEMORY.source,
            "The container starts and answers with a /dev/shm of 64 MB.",
            "PyTorch: DataLoader(num_workers=0) or torch.multiprocessing.set_sharing_strategy('file_system');"
            " Triton: --backend-config=python,shm-default-byte-size=16777216; share files in /tmp",
            rows="S05",
        ),
        _shared_memory,
    ),
)
