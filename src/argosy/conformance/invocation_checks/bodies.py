"""Request bodies: none, large ones, and every way to tell where one ends."""

from typing import Final

from argosy.conformance.check import SAMPLE, Check, Evidence, Group, Verdict, failed, passed, unknown
from argosy.conformance.clause import must, should
from argosy.conformance.invocation_checks.invocations import SAMPLE_HINT, is_timed_out, is_worse
from argosy.conformance.probes import Exchange, size
from argosy.conformance.scenes.bodies import BatchBody, Framings, LargeBody
from argosy.conformance.scenes.endpoint import Errors
from argosy.conformance.sources import EXAMPLES_ISSUES
from argosy.contract import BATCH_PAGE, CREATE_TRANSFORM_JOB, HOSTING_PAGE

_UNREAD: Final = (401, 403, 404, 405, 411, 415)
"""Statuses that the headers alone may earn: they do not show that the body was read."""
_UNFRAMED: Final = (411, 417, 501)
"""Statuses by which a server refuses a framing (RFC 9110, sections 15.5.12, 15.5.18, 15.6.2)."""


def _large(large_body: LargeBody) -> Verdict:
    large, smaller = large_body.large, large_body.smaller
    also = ", and so is one of 6.0 MB" if smaller and smaller.status == 413 else ""
    return _judged(large_body.baseline, large, also, *((smaller.evidence,) if smaller else ()))


def _batch(batch_body: BatchBody) -> Verdict:
    return _judged(batch_body.baseline, batch_body.large, "")


def _judged(baseline: Exchange, large: Exchange, also: str, *further: Evidence) -> Verdict:
    """What a large body was answered with, beside a small one; `also` goes on after a 413."""
    sent = size(len(large.request.body or b""))
    evidence = (large.evidence, *further)
    if large.status == 413:
        return failed(f"a body of {sent} is refused with 413{also}", *evidence)
    if large.is_silent:
        sentence = f"a body of {sent} has no answer yet: it may be work in earnest; {SAMPLE_HINT}"
        return unknown(sentence, *evidence, decide=SAMPLE)
    if is_timed_out(large):
        sentence = f"a server in the container gave up on a body of {sent}: it may be work in earnest; {SAMPLE_HINT}"
        return unknown(sentence, *evidence, decide=SAMPLE)
    if large.status is None:
        return failed(f"a body of {sent} has no answer: {large.error}", *evidence)
    if large.is_server_error and not baseline.is_server_error:
        sentence = f"a body of {sent} is answered with {large.status}, a small one with {baseline.status}"
        return failed(sentence, *evidence)
    if large.is_server_error or large.status in _UNREAD:
        sentence = f"a body of {sent} is answered with {large.status}, as a small one; {SAMPLE_HINT}"
        return unknown(sentence, *evidence, decide=SAMPLE)
    if large.is_client_error:
        return passed(f"a body of {sent} is taken, and refused as input with {large.status}", *evidence)
    return passed(f"a body of {sent} is taken and answered with {large.status}")


def _chunked(framings: Framings) -> Verdict:
    return _framed(framings.baseline, framings.chunked, "in chunks")


def _expected(framings: Framings) -> Verdict:
    return _framed(framings.baseline, framings.expected, "announced with Expect")


def _framed(baseline: Exchange, changed: Exchange, how: str) -> Verdict:
    if is_worse(baseline, changed) or changed.status in _UNFRAMED:
        sentence = f"{how} it is answered with {changed.status or changed.error}, else with {baseline.status}"
        return failed(sentence, changed.evidence)
    if not baseline.is_success:
        return unknown(f"it is answered with {changed.status}, as with its length; {SAMPLE_HINT}", decide=SAMPLE)
    return passed(f"{how} it is answered with {changed.status}")


def _empty(errors: Errors) -> Verdict:
    sent = [exchange for exchange in errors.bad if exchange.request.body == b""]
    if not sent:
        return unknown("no empty body was sent")
    if sent[0].status is None:
        return failed(f"it has no answer: {sent[0].error}", sent[0].evidence)
    return passed(f"it is answered with {sent[0].status}")


_LARGE: Final[Group[LargeBody]] = Group("bodies", LargeBody, needs=("start-healthy", "invocations"))
_BATCH: Final[Group[BatchBody]] = Group(
    "bodies", BatchBody, needs=("start-healthy", "large-body", "abandoned-invocations")
)
_FRAMINGS: Final[Group[Framings]] = Group("bodies", Framings, needs=("start-healthy", "invocations"))
_ERRORS: Final[Group[Errors]] = Group("bodies", Errors, needs=("start-healthy", "invocations"))

CHECKS: Final[tuple[Check[LargeBody] | Check[BatchBody] | Check[Framings] | Check[Errors], ...]] = (
    _LARGE.check(
        must(
            "large-body",
            f"{EXAMPLES_ISSUES}/2793",
            "A request body of 25 MB is taken: no 413, no reset connection.",
            "nginx: client_max_body_size 100m; Flask: no MAX_CONTENT_LENGTH below it; TorchServe: max_request_size",
            rows="C19 L01 F10 R05",
        ),
        _large,
    ),
    _BATCH.check(
        should(
            "batch-body",
            CREATE_TRANSFORM_JOB,
            "A request body of 100 MB is taken, or of what MaxPayloadInMB of /execution-parameters says.",
            "raise the limit as for endpoints, or state your own as MaxPayloadInMB of /execution-parameters",
            rows="C19 F10 R05",
        ),
        _batch,
    ),
    _ERRORS.check(
        should(
            "empty-body",
            HOSTING_PAGE,
            "A body of 0 bytes is answered.",
            "answer an empty body with 400; read as many bytes as Content-Length says",
            rows="C19 C20 R05",
        ),
        _empty,
    ),
    _FRAMINGS.check(
        should(
            "chunked-body",
            BATCH_PAGE,
            "A body in chunks is taken as one with Content-Length: a job with MaxPayloadInMB 0 sends chunks.",
            "serve with gunicorn, uvicorn, nginx or Node; a server that reads Content-Length alone cannot",
            rows="C19 R06",
        ),
        _chunked,
    ),
    _FRAMINGS.check(
        should(
            "expect-continue",
            "https://www.rfc-editor.org/rfc/rfc9110.html#name-expect",
            "A body that is announced with Expect: 100-continue is taken.",
            "answer 100 Continue, or ignore the header field",
            rows="C19 R06",
        ),
        _expected,
    ),
)
