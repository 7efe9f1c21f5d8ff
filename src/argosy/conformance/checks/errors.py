"""What cannot be answered: an honest status, nothing given away, and the server lives on."""

import json
import re
from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, unknown
from argosy.conformance.probes import Exchange
from argosy.conformance.scenes import Errors, Survival

_ERROR_FIELDS: Final = ("error", "errors", "exception", "traceback", "errorMessage", "error_message", "stacktrace")
_ERROR_TEXT: Final = re.compile(rb"(?i)^\s*(error\b|exception\b|traceback \(most|internal server error)")
_ERROR_STATUS: Final = ("error", "failed", "failure")
_TRACES: Final = (
    ("Python", re.compile(rb"Traceback \(most recent call last\)|File &?(quot;|\")[^\"&]+\.py&?(quot;|\"), line \d+")),
    ("Java", re.compile(rb"(?m)^\s*at [\w.$]+\([\w]+\.(java|scala|kt):\d+\)")),
    ("Node", re.compile(rb"(?m)\bat [^\n]*\(?/[^\s)]+\.(js|ts|mjs|cjs):\d+:\d+\)?")),
    ("Go", re.compile(rb"goroutine \d+ \[")),
    ("Werkzeug's debugger", re.compile(rb"__debugger__")),
)


def _status(errors: Errors) -> Verdict:
    paid = [exchange for exchange in (*errors.bad, *errors.probes) if exchange.is_success and _says_error(exchange)]
    if paid:
        return failed(f"{len(paid)} errors were answered with 2xx", *_evidence(paid))
    accepted = [exchange for exchange in errors.bad if exchange.is_success]
    if accepted:
        return unknown(
            "nothing looks like an error, but what cannot be understood was answered with 2xx: is it a prediction?",
            *_evidence(accepted),
        )
    return passed("no error was answered with 2xx")


def _client(errors: Errors) -> Verdict:
    # A container that ended answers nothing: that is another clause.
    answered = [exchange for exchange in errors.bad if exchange.status is not None]
    wrong = [exchange for exchange in answered if not exchange.is_client_error]
    wrong += [exchange for exchange in errors.probes if exchange.is_server_error]
    if wrong:
        listed = ", ".join(f"{exchange.request.name} {exchange.status}" for exchange in wrong)
        return failed(f"not with 4xx: {listed}", *_evidence(wrong))
    if not answered:
        return unknown("no request of this kind was answered", *_evidence(list(errors.bad)))
    return passed(f"{len(answered)} broken requests were answered with 4xx")


def _traceback(errors: Errors) -> Verdict:
    for exchange in (*errors.bad, *errors.probes):
        for language, pattern in _TRACES:
            if pattern.search(exchange.body):
                return failed(f"an answer carries a stack trace ({language})", exchange.evidence)
    return passed("no answer carries a stack trace")


def _survival(survival: Survival) -> Verdict:
    last = survival.last.evidence if survival.last else Evidence("requests", "answered")
    if survival.exit_code is not None:
        end = Evidence("wait", f"exit code {survival.exit_code}", None, survival.log)
        return failed("the container ended", last, end)
    if survival.ping is None or survival.ping.status != 200:
        seen = survival.ping.evidence if survival.ping else Evidence("GET /ping", "not sent")
        return failed("GET /ping is not 200 any more", last, seen)
    return passed("GET /ping is 200 after all of them and after bytes that are no HTTP")


def _says_error(exchange: Exchange) -> bool:
    """Whether a body reports an error, as far as a stranger can tell."""
    try:
        answer = json.loads(exchange.body)
    except ValueError:
        return _ERROR_TEXT.search(exchange.body) is not None
    if isinstance(answer, str):
        return _ERROR_TEXT.search(answer.encode()) is not None
    if not isinstance(answer, dict):
        return False
    status = str(answer.get("status", "")).lower()
    return any(answer.get(field) for field in _ERROR_FIELDS) or status in _ERROR_STATUS


def _evidence(exchanges: list[Exchange]) -> tuple[Evidence, ...]:
    return tuple(exchange.evidence for exchange in exchanges[:4])


_ERRORS: Final[Group[Errors]] = Group("errors", "errors", needs=("start-healthy", "invocations"))
_SURVIVAL: Final[Group[Survival]] = Group("errors", "survival", needs=("start-healthy", "ping"))

CHECKS: Final[tuple[Check[Errors] | Check[Survival], ...]] = (
    _ERRORS.check("error-status", _status),
    _ERRORS.check("error-client", _client),
    _ERRORS.check("error-traceback", _traceback),
    _SURVIVAL.check("error-survival", _survival),
)
