"""The log: all that its owner sees of a request that was refused, and nothing of what was in it."""

from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, unknown
from argosy.conformance.clause import should
from argosy.conformance.scenes.log import Logged
from argosy.conformance.sources import MARKETPLACE_SECURITY
from argosy.contract import HOSTING_PAGE


def _errors(logged: Logged) -> Verdict:
    refused = [exchange for exchange in logged.exchanges if exchange.is_client_error or exchange.is_server_error]
    if not refused:
        return unknown("none of the requests was answered with an error")
    if not logged.lines:
        return failed(f"{len(refused)} errors, and not a line", *(exchange.evidence for exchange in refused[:4]))
    return passed(f"{len(refused)} errors, and lines in the log", Evidence("the log", logged.lines[-1]))


def _quotes(logged: Logged) -> Verdict:
    if logged.quoting:
        sent = f"{len(logged.exchanges)} requests with the word {logged.word} in their bodies"
        return failed("it quotes a request's body", Evidence(sent, "it is in the log", None, logged.quoting))
    if all(exchange.status is None for exchange in logged.exchanges):
        return unknown("no request was answered", logged.exchanges[0].evidence)
    return passed(f"no body of {len(logged.exchanges)} requests is quoted")


_GROUP: Final[Group[Logged]] = Group("log", Logged, needs=("start-healthy", "invocations"))

CHECKS: Final[tuple[Check[Logged], ...]] = (
    _GROUP.check(
        should(
            "log-errors",
            HOSTING_PAGE,
            "An error leaves a line on stdout or stderr: CloudWatch has nothing else.",
            "log one line for each error to stderr, unbuffered (ENV PYTHONUNBUFFERED=1; gunicorn: --access-logfile -)",
            rows="N08",
        ),
        _errors,
    ),
    _GROUP.check(
        should(
            "log-bodies",
            MARKETPLACE_SECURITY,
            "The log quotes no request's body: it is the buyer's.",
            "log the status, the kind of error and where it was raised, and no message that quotes the input",
            rows="N09",
        ),
        _quotes,
    ),
)
