"""With less than a container usually has: a read-only root, a second start, an instance's memory and disk."""

import re
from typing import Any, Final

from argosy.conformance.check import SAMPLE, Check, Evidence, Group, Verdict, failed, passed, skipped, unknown
from argosy.conformance.clause import must, should
from argosy.conformance.container_checks.startup import endings
from argosy.conformance.scenes.starts import Confined, OnInstance, ReadOnlyRoot, SecondStart
from argosy.conformance.sources import EXAMPLES_ISSUES, MARKETPLACE_SECURITY
from argosy.contract import HOSTING_PAGE

NO_PERMISSION: Final = re.compile(
    r"(?i:read-only file system|permission denied|not permitted)|\b(?:EROFS|EACCES|EPERM)\b"
)
NO_SPACE: Final = re.compile(r"(?i:no space left on device)|\bENOSPC\b")
NO_MEMORY: Final = re.compile(
    r"(?i:out of memory|cannot allocate memory|std::bad_alloc|terminated due to signal 9|sent SIGKILL! Perhaps)"
    r"|\bMemoryError\b|\bENOMEM\b"
)
_LARGEST: Final = 6
_LOG_SHOWN: Final = 6
_ENGINE: Final = "--container docker"
_SANDBOX: Final = "--container sandbox"


def _read_only(scene: ReadOnlyRoot) -> Verdict:
    confined = scene.confined
    if not confined.is_enforced:
        return unknown("a process of this machine has this machine's file system", decide=_SANDBOX)
    if confined.is_worse:
        written = [Evidence("what it writes where it can", path) for path in scene.written[:_LARGEST]]
        lines = signs(confined, NO_PERMISSION)
        return failed(f"with /tmp alone {worse(confined)}", *written, *lines, *seen(confined, has_log=not lines))
    if confined.baseline is not None and confined.baseline.is_success:
        return passed("it gets healthy and answers with nothing but /tmp to write to")
    return unknown(
        "it gets healthy with nothing but /tmp to write to; no request is known that it takes", decide=SAMPLE
    )


def _second(scene: SecondStart) -> Verdict:
    second = scene.second
    if not scene.first.is_healthy:
        return skipped("its first start did not get healthy: see batch-start")
    if second is None:
        sentence = f"a {scene.kind} cannot be started again; another container over the same artifacts got healthy"
        return unknown(sentence, decide=_ENGINE)
    if not second.is_healthy:
        return failed(
            "the first start leaves something behind that keeps the second from getting healthy", *endings(second)
        )
    return passed(f"200 after {second.healthy_s:.1f} s, the first time after {scene.first.healthy_s or 0.0:.1f} s")


def _memory(scene: OnInstance) -> Verdict:
    confined = scene.confined
    if not confined.is_enforced:
        return unknown("the memory of a process of this machine is not limited", decide=_SANDBOX)
    limit = f"{scene.instance_type} has {_gib(scene.memory_bytes)}"
    lines = signs(confined, NO_MEMORY)
    if confined.memory or (confined.is_worse and lines):
        workers = [Evidence("its processes where nothing limits them", _workers(scene))] if scene.workers else []
        return failed(f"{limit}, and that is not enough: {confined.memory or worse(confined)}", *workers, *lines)
    if confined.is_worse:
        return skipped(f"{worse(confined)}, and not for want of memory")
    if confined.baseline is None or not confined.baseline.is_success:
        return unknown(f"{limit}, and it got healthy with that; no request is known that it takes", decide=SAMPLE)
    return passed(f"{limit}, and it got healthy and answered with that")


def _disk(scene: OnInstance) -> Verdict:
    confined = scene.confined
    if not confined.is_enforced:
        return unknown("a process of this machine has this machine's disk", decide=_SANDBOX)
    limit = f"{scene.instance_type} has {scene.disk_bytes / 10**9:.0f} GB"
    if confined.is_worse and (lines := signs(confined, NO_SPACE)):
        return failed(f"{limit} of disk, and that is not enough: {worse(confined)}", *lines)
    if confined.is_worse:
        return skipped(f"{worse(confined)}, and not for want of disk")
    if confined.kind != "sandbox":
        return unknown(f"the disk of a container of {confined.kind} is not limited", decide=_SANDBOX)
    return passed(f"{limit} of disk, and what it writes fits")


def worse(confined: Confined) -> str:
    """In what a container is worse than one that is given all, as a clause."""
    start = confined.start
    if start.failure:
        return f"it cannot be started: {start.failure}"
    if start.exit_code is not None:
        return f"it ends with exit code {start.exit_code}"
    if not start.is_healthy:
        return f"it does not get healthy within {start.limit_s:.0f} s"
    again, baseline = confined.again, confined.baseline
    if again is None or baseline is None:
        return "it gets healthy"
    return f"an invocation is answered with {again.status or again.error}, and with {baseline.status} otherwise"


def seen(confined: Confined, *, has_log: bool) -> tuple[Evidence, ...]:
    """What shows that a container is worse: how its start ended, or its answer."""
    if not confined.start.is_healthy:
        return endings(confined.start) if has_log else endings(confined.start)[:1]
    return (confined.again.evidence,) if confined.again else ()


def signs(confined: Confined, pattern: re.Pattern[str]) -> tuple[Evidence, ...]:
    """The lines of its log that match."""
    lines = [line for line in confined.log if pattern.search(line)]
    return (Evidence("the log", f"{len(lines)} lines", None, tuple(lines[-_LOG_SHOWN:])),) if lines else ()


def _workers(scene: OnInstance) -> str:
    total = sum(size for _, size in scene.workers)
    listed = ", ".join(f"{name} {_gib(size)}" for name, size in scene.workers[:_LARGEST])
    return f"{len(scene.workers)} with {_gib(total)} together: {listed}"


def _gib(count: int) -> str:
    return f"{count / 2**30:.3g} GiB"


_READ_ONLY: Final[Group[ReadOnlyRoot]] = Group("isolation", ReadOnlyRoot, needs=("start-healthy",))
_SECOND: Final[Group[SecondStart]] = Group("isolation", SecondStart, needs=("batch-start",))
_INSTANCE: Final[Group[OnInstance]] = Group("isolation", OnInstance, needs=("start-healthy",))

CHECKS: Final[tuple[Check[Any], ...]] = (  # three scene types, hence Any
    _READ_ONLY.check(
        should(
            "read-only-root",
            MARKETPLACE_SECURITY,
            "The container writes to /tmp alone: it works with a root file system that is read-only.",
            "write caches, sockets and PID files below /tmp (HOME=/tmp, TMPDIR=/tmp, nginx: pid and *_temp_path)",
            rows="N04 S14",
        ),
        _read_only,
    ),
    _SECOND.check(
        should(
            "second-start",
            HOSTING_PAGE,
            "A container that has ended can be started again, with what it wrote still there.",
            "at start remove what an earlier start may have left: PID files, sockets, half-written folders",
            rows="S13",
        ),
        _second,
    ),
    _INSTANCE.check(
        must(
            "instance-type-memory",
            f"{EXAMPLES_ISSUES}/3148",
            "The container starts and answers with the memory of the instance type.",
            "start fewer workers (each loads the model), or share it between them; or take a type with more memory",
            rows="F07 F12 F04",
        ),
        _memory,
    ),
    _INSTANCE.check(
        must(
            "instance-type-disk",
            "https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-storage.html",
            "What the container writes fits into the disk of the instance type.",
            "do not copy the artifacts out of /opt/ml/model; unpack once, when the image is built",
            rows="F11 A05",
        ),
        _disk,
    ),
)
