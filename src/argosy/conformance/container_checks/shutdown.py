"""SIGTERM: the container ends in time, finishes what is under way, and says that all went well."""

from typing import Final

from argosy.conformance.check import SAMPLE, Check, Evidence, Group, Verdict, failed, passed, skipped, unknown
from argosy.conformance.clause import fact, must, should
from argosy.conformance.scenes.endpoint import Stop
from argosy.contract import HOSTING_PAGE

_ENDED_BY_SIGTERM: Final = 128 + 15


def _grace(stop: Stop) -> Verdict:
    if stop.exit_code is None:
        end = Evidence("SIGTERM", f"still runs after {stop.limit_s:g} s", round(stop.seconds, 1), stop.log)
        return failed("it ignores SIGTERM and had to be killed", end)
    return passed(f"it ended {stop.seconds:.1f} s after SIGTERM")


def _drain(stop: Stop) -> Verdict:
    held, baseline = stop.held, stop.baseline
    if held is None or baseline is None:
        return unknown("no request is known that it answers", decide=SAMPLE)
    if held.status is None:
        return failed(f"the request under way was lost: {held.error}", held.evidence)
    if held.status != baseline.status and not (held.is_success and baseline.is_success):
        sentence = f"the request under way was answered with {held.status}, before SIGTERM with {baseline.status}"
        return failed(sentence, held.evidence)
    if not baseline.is_success:
        sentence = (
            f"the request under way was answered with {held.status}, as before SIGTERM: nothing was predicted;"
            f" give a request that it takes with {SAMPLE}"
        )
        return unknown(sentence, held.evidence, decide=SAMPLE)
    return passed(f"the request under way was answered with {held.status}")


def _exit_code(stop: Stop) -> Verdict:
    if stop.exit_code is None:
        return skipped("it had to be killed")
    if stop.exit_code != 0:
        meaning = " (SIGTERM itself ended it)" if stop.exit_code == _ENDED_BY_SIGTERM else ""
        end = Evidence("SIGTERM", f"exit code {stop.exit_code}", round(stop.seconds, 1), stop.log)
        return failed(f"it is {stop.exit_code}{meaning}", end)
    return passed("it is 0")


_GROUP: Final[Group[Stop]] = Group("stop", Stop, needs=("start-healthy",), causes=("image-exec-form",))

CHECKS: Final[tuple[Check[Stop], ...]] = (
    _GROUP.check(
        must(
            "stop-grace",
            HOSTING_PAGE,
            "The container ends within 30 seconds of SIGTERM; then comes SIGKILL.",
            "let the server be the first process (`exec` in a shell script) and handle SIGTERM",
            rows="C13 S12",
        ),
        _grace,
    ),
    _GROUP.check(
        should(
            "stop-drain",
            HOSTING_PAGE,
            "A request that is under way when SIGTERM comes is still answered.",
            "on SIGTERM stop accepting, finish what is under way, then end",
            rows="C13 S12",
        ),
        _drain,
        "worker-timeout",
    ),
    _GROUP.check(
        fact(
            "stop-exit-code",
            HOSTING_PAGE,
            "The exit code after SIGTERM is 0.",
            "handle SIGTERM and end with 0, so that a log tells a stop from a crash",
        ),
        _exit_code,
        "stop-grace",
    ),
)
