"""Invocations: answered, with any headers, of any size.

What a stranger's model takes is not known, so a 4xx to a generic request says nothing against an image.
"""

from typing import Final

from argosy.conformance.check import SAMPLE, Check, Group, Verdict, failed, passed, unknown
from argosy.conformance.clause import must, should
from argosy.conformance.probes import Exchange, size
from argosy.conformance.scenes.endpoint import Headers, Invocations, LargeBody
from argosy.conformance.sources import EXAMPLES_ISSUES, MODEL_PACKAGE_IMAGES
from argosy.contract import HOSTING_PAGE, INVOKE_ENDPOINT

_NO_ROUTE: Final = (404, 405, 501)
_UNREAD: Final = (401, 403, 404, 405, 411, 415)
"""Statuses that the headers alone may earn: they do not show that the body was read."""
_SAMPLE_HINT: Final = f"give a request that it takes with {SAMPLE}"


def _invocations(invocations: Invocations) -> Verdict:
    samples, probes = invocations.samples, invocations.probes
    if refused := [sample for sample in samples if not sample.is_success]:
        listed = f"{len(refused)} of {len(samples)} samples were" if len(samples) > 1 else "the sample was"
        return failed(f"{listed} not answered with 2xx", *(exchange.evidence for exchange in refused[:4]))
    if samples:
        listed = f"{len(samples)} samples were answered with 2xx"
        sentence = listed if len(samples) > 1 else f"the sample was answered with {samples[0].status}"
        return passed(sentence, *(sample.evidence for sample in samples))
    succeeded = [exchange for exchange in probes if exchange.is_success]
    if succeeded:
        return passed(f"{len(succeeded)} of {len(probes)} generic requests were answered with 2xx")
    if all(exchange.status in _NO_ROUTE for exchange in probes):
        return failed("POST /invocations is not routed", probes[0].evidence)
    if all(exchange.status is None for exchange in probes):
        return failed("POST /invocations is never answered", probes[0].evidence)
    listed = ", ".join(f"{exchange.status or exchange.error} to {exchange.request.name}" for exchange in probes)
    sentence = f"no generic request was answered with 2xx ({listed}); {_SAMPLE_HINT}"
    return unknown(sentence, *(exchange.evidence for exchange in probes[:2]), decide=SAMPLE)


def _headers(headers: Headers) -> Verdict:
    baseline = headers.baseline
    tried = (("unknown headers", headers.extra), ("no Accept", headers.without_accept))
    # Without Content-Type a server may guess wrongly and refuse; it may not break.
    broken = [(what, exchange) for what, exchange in tried if _is_worse(baseline, exchange)]
    if _is_broken(headers.without_content_type) and not _is_broken(baseline):
        broken.append(("no Content-Type", headers.without_content_type))
    if broken:
        sentence = ", ".join(f"with {what} {exchange.status or exchange.error}" for what, exchange in broken)
        evidence = (exchange.evidence for _, exchange in broken)
        return failed(f"{sentence}, without the change {baseline.status}", *evidence)
    if not baseline.is_success:
        sentence = f"nothing broke, but no request was answered with 2xx; {_SAMPLE_HINT}"
        return unknown(sentence, baseline.evidence, decide=SAMPLE)
    return passed("unknown headers are ignored; Accept and Content-Type may be missing")


def _parameters(headers: Headers) -> Verdict:
    baseline, changed = headers.baseline, headers.parameters
    if not baseline.is_success:
        return unknown(f"no request was answered with 2xx; {_SAMPLE_HINT}", baseline.evidence, decide=SAMPLE)
    if not changed.is_success:
        return failed(f"`{changed.request.content_type}` is refused", changed.evidence)
    return passed(f"`{changed.request.content_type}` is taken")


def _large(large_body: LargeBody) -> Verdict:
    large, baseline, smaller = large_body.large, large_body.baseline, large_body.smaller
    sent = size(len(large.request.body or b""))
    evidence = (large.evidence, smaller.evidence) if smaller else (large.evidence,)
    if large.status == 413:
        also = ", and so is one of 6.0 MB" if smaller and smaller.status == 413 else ""
        return failed(f"a body of {sent} is refused with 413{also}", *evidence)
    if large.status is None and large.error.startswith("no answer"):
        sentence = f"a body of {sent} has no answer yet: it may be work in earnest; {_SAMPLE_HINT}"
        return unknown(sentence, *evidence, decide=SAMPLE)
    if large.status is None:
        return failed(f"a body of {sent} has no answer: {large.error}", *evidence)
    if large.is_server_error and not baseline.is_server_error:
        sentence = f"a body of {sent} is answered with {large.status}, a small one with {baseline.status}"
        return failed(sentence, *evidence)
    if large.is_server_error or large.status in _UNREAD:
        sentence = f"a body of {sent} is answered with {large.status}, as a small one; {_SAMPLE_HINT}"
        return unknown(sentence, *evidence, decide=SAMPLE)
    if large.is_client_error:
        return passed(f"a body of {sent} is taken, and refused as input with {large.status}", *evidence)
    return passed(f"a body of {sent} is taken and answered with {large.status}")


def _is_broken(exchange: Exchange) -> bool:
    return exchange.status is None or exchange.is_server_error


def _is_worse(baseline: Exchange, changed: Exchange) -> bool:
    if _is_broken(baseline):
        return False
    return _is_broken(changed) or (baseline.is_success and not changed.is_success)


_INVOCATIONS: Final[Group[Invocations]] = Group("invocations", Invocations, needs=("start-healthy",))
_HEADERS: Final[Group[Headers]] = Group("invocations", Headers, needs=("start-healthy", "invocations"))
_LARGE: Final[Group[LargeBody]] = Group("invocations", LargeBody, needs=("start-healthy", "invocations"))

CHECKS: Final[tuple[Check[Invocations] | Check[Headers] | Check[LargeBody], ...]] = (
    _INVOCATIONS.check(
        must(
            "invocations",
            MODEL_PACKAGE_IMAGES,
            "POST /invocations takes inference requests and answers them.",
            "route POST /invocations to the model; give `argosy check` a request with --sample and --content-type",
            rows="C08 F06",
        ),
        _invocations,
    ),
    _HEADERS.check(
        must(
            "invocation-headers",
            HOSTING_PAGE,
            "Unknown request headers are ignored, and Content-Type and Accept may be missing.",
            "read only the headers you know, and have a default for Content-Type and Accept",
            rows="C11",
        ),
        _headers,
    ),
    _HEADERS.check(
        should(
            "media-type-parameters",
            INVOKE_ENDPOINT,
            "A Content-Type with parameters, `text/csv; charset=utf-8`, means the same as without.",
            "compare type/subtype, not the whole header field",
            rows="C11",
        ),
        _parameters,
    ),
    _LARGE.check(
        must(
            "large-body",
            f"{EXAMPLES_ISSUES}/2793",
            "A request body of 25 MB is taken: no 413, no reset connection.",
            "nginx: client_max_body_size 100m; Flask: no MAX_CONTENT_LENGTH below it; TorchServe: max_request_size",
            rows="C19 L01 F10",
        ),
        _large,
    ),
)
