"""What cannot be answered: an honest status, nothing given away, and the server lives on."""

import json
import re
from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, unknown
from argosy.conformance.clause import must, should
from argosy.conformance.probes import Exchange
from argosy.conformance.scenes.endpoint import Errors, Survival
from argosy.conformance.sources import MARKETPLACE_PRICING, MARKETPLACE_SECURITY
from argosy.contract import HOSTING_PAGE

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
    paid = [exchange for exchange in errors.bad if exchange.is_success and _says_error(exchange)]
    if paid:
        return failed(f"{len(paid)} errors were answered with 2xx", *_evidence(paid))
    told = [exchange for exchange in errors.probes if exchange.is_success and _says_error(exchange)]
    if told:
        return unknown("2xx was answered with what reads like an error: is it a prediction?", *_evidence(told))
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
    told = [answer.get(field) for field in _ERROR_FIELDS]
    return any(said and not isinstance(said, int | float) for said in told) or status in _ERROR_STATUS


def _evidence(exchanges: list[Exchange]) -> tuple[Evidence, ...]:
    return tuple(exchange.evidence for exchange in exchanges[:4])


_ERRORS: Final[Group[Errors]] = Group("errors", Errors, needs=("start-healthy", "invocations"))
_SURVIVAL: Final[Group[Survival]] = Group("errors", Survival, needs=("start-healthy", "ping", "ping-steady"))

CHECKS: Final[tuple[Check[Errors] | Check[Survival], ...]] = (
    _ERRORS.check(
        must(
            "error-status",
            MARKETPLACE_PRICING,
            "An error is never answered with 2xx: the buyer pays for every 2xx.",
            "answer bad input with 4xx and your own failures with 5xx",
            rows="C20 M04",
        ),
        _status,
    ),
    _ERRORS.check(
        should(
            "error-client",
            MARKETPLACE_PRICING,
            "Input that cannot be understood is answered with 4xx.",
            "validate the body and the Content-Type: 400 for what cannot be decoded, 415 for an unknown media type;"
            " read the whole body before you answer, or a proxy before your server makes a 502 of it",
            rows="C20",
        ),
        _client,
    ),
    _ERRORS.check(
        should(
            "error-traceback",
            MARKETPLACE_SECURITY,
            "No answer carries a stack trace: the buyer would read your code's paths and lines.",
            "log the trace, answer with one sentence; switch the framework's debug mode off",
            rows="N09",
        ),
        _traceback,
    ),
    _SURVIVAL.check(
        must(
            "error-survival",
            HOSTING_PAGE,
            "The server lives on after requests that it cannot answer.",
            "catch errors where one request is handled; never end the process",
            rows="C20",
        ),
        _survival,
    ),
)
