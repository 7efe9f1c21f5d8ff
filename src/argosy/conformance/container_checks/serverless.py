"""What a serverless endpoint gives less than an instance: no root, no GPU, little memory, three minutes.

One cause has one finding: want of memory and of a GPU where the log or the kernel names it, else the user, or the time.
"""

import re
from typing import Final

from argosy.conformance.check import SAMPLE, Check, Evidence, Group, Verdict, failed, passed, skipped, unknown
from argosy.conformance.clause import must
from argosy.conformance.container_checks.isolation import NO_MEMORY, NO_PERMISSION, seen, signs, worse
from argosy.conformance.profile import Profile
from argosy.conformance.scenes.starts import OtherUser

_PAGES: Final = "https://docs.aws.amazon.com/sagemaker/latest/dg"
_GPU: Final = re.compile(
    r"libcuda|libcudart|libcudnn|libnvidia|no nvidia driver|found no nvidia|no cuda gpus|torch not compiled with cuda"
    r"|cuda driver version|nvml",
    re.IGNORECASE,
)
_ENGINE: Final = "--container docker"


def _memory(scene: OtherUser) -> Verdict:
    if (verdict := _not_asked(scene, "serverless-memory")) is not None:
        return verdict
    if _cause(scene):
        reason = scene.confined.memory or worse(scene.confined)
        return failed(f"{scene.memory_mb} MB are not enough: {reason}", *signs(scene.confined, NO_MEMORY))
    return passed(f"it gets along with {scene.memory_mb} MB")


def _no_gpu(scene: OtherUser) -> Verdict:
    if (verdict := _not_asked(scene, "serverless-no-gpu")) is not None:
        return verdict
    if _cause(scene):
        return failed(f"it wants a GPU: {worse(scene.confined)}", *signs(scene.confined, _GPU))
    return passed("it gets along without a GPU")


def _user(scene: OtherUser) -> Verdict:
    if (verdict := _not_asked(scene, "serverless-user")) is not None:
        return verdict
    confined = scene.confined
    if _cause(scene):
        lines = signs(confined, NO_PERMISSION)
        who = Evidence("start", f"as user {scene.user} of group {scene.user}")
        return failed(f"as a user that is not root {worse(confined)}", who, *lines, *seen(confined, has_log=not lines))
    if confined.baseline is None or not confined.baseline.is_success:
        return unknown("it gets healthy as a user that is not root; no request is known that it takes", decide=SAMPLE)
    return passed(f"it gets healthy and answers as user {scene.user}")


def _start(scene: OtherUser) -> Verdict:
    if (verdict := _not_asked(scene, "serverless-start")) is not None:
        return verdict
    confined = scene.confined
    if _cause(scene):
        return failed(worse(confined), *seen(confined, has_log=True))
    return passed(f"200 after {confined.start.healthy_s or 0.0:.1f} s, want at most {scene.limit_s:g} s")


def _not_asked(scene: OtherUser, clause_id: str) -> Verdict | None:
    """The verdict on a clause that is not the cause; None where it has to be judged."""
    if not scene.confined.is_enforced:
        what = f"a {scene.confined.kind} of this machine"
        return unknown(f"{what} is not run as another user here", decide=_ENGINE)
    cause = _cause(scene)
    return skipped(f"{worse(scene.confined)}: see {cause}") if cause not in ("", clause_id) else None


def _cause(scene: OtherUser) -> str:
    """The clause whose breach makes the container worse than one that is given all; empty where it is not worse."""
    confined = scene.confined
    if not confined.is_worse and not confined.memory:
        return ""
    if confined.memory or signs(confined, NO_MEMORY):
        return "serverless-memory"
    if signs(confined, _GPU):
        return "serverless-no-gpu"
    start = confined.start
    is_late = not start.is_healthy and start.exit_code is None and not start.failure
    return "serverless-start" if is_late and not signs(confined, NO_PERMISSION) else "serverless-user"


_GROUP: Final[Group[OtherUser]] = Group("serverless", OtherUser, needs=("start-healthy",))
_ONLY: Final = (Profile.SERVERLESS,)

CHECKS: Final[tuple[Check[OtherUser], ...]] = (
    _GROUP.check(
        must(
            "serverless-memory",
            f"{_PAGES}/serverless-endpoints.html",
            "The container starts and answers with the memory of the serverless endpoint, 1024 to 6144 MB.",
            "start one worker (a serverless endpoint has one invocation at a time in a container), or take more memory",
            rows="S15",
            only=_ONLY,
        ),
        _memory,
    ),
    _GROUP.check(
        must(
            "serverless-no-gpu",
            f"{_PAGES}/serverless-endpoints.html",
            "The container starts and answers where there is no GPU and no driver of one.",
            "choose the device when the server starts, and install the framework's build for processors",
            rows="S15",
            only=_ONLY,
        ),
        _no_gpu,
    ),
    _GROUP.check(
        must(
            "serverless-user",
            f"{_PAGES}/serverless-endpoints-troubleshooting.html",
            "The container starts and answers as a user that is not root.",
            "let anybody read and write what the server does: RUN chmod -R o+rwX /opt/program; write to /tmp",
            rows="S15",
            only=_ONLY,
        ),
        _user,
    ),
    _GROUP.check(
        must(
            "serverless-start",
            f"{_PAGES}/serverless-endpoints-invoke.html",
            "GET /ping is answered with 200 within 3 minutes of the start.",
            "load less at start, and leave nothing to be installed or compiled then",
            rows="S15",
            only=_ONLY,
        ),
        _start,
    ),
)
