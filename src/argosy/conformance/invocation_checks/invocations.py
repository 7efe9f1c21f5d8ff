"""Invocations: answered, in time, with any headers, as the media type that was asked for.

What a stranger's model takes is not known, so a 4xx to a generic request says nothing against an image.
"""

import re
from dataclasses import replace
from typing import Final

from argosy import media_type
from argosy.conformance.check import SAMPLE, Check, Evidence, Group, Verdict, failed, passed, skipped, unknown
from argosy.conformance.clause import must, should
from argosy.conformance.probes import Exchange, printable
from argosy.conformance.profile import Profile
from argosy.conformance.requests import ATTRIBUTES
from argosy.conformance.scenes.endpoint import Headers, Invocations
from argosy.conformance.sources import MARKETPLACE_RESOURCE, MODEL_PACKAGE_IMAGES, SDK_ISSUES, SERVING_ISSUES
from argosy.contract import (
    CUSTOM_ATTRIBUTES,
    HEADER_CUSTOM_ATTRIBUTES,
    HOSTING_PAGE,
    INVOKE_ENDPOINT,
    STREAM,
)

_TIMED_OUT: Final = re.compile(r"\bWORKER TIMEOUT\b|\bupstream timed out\b|\bHARAKIRI\b")
"""What gunicorn, nginx and uWSGI log when they give up on a request."""
_MARGIN: Final = 0.5
_VISIBLE: Final = re.compile(r"[\x21-\x7e \t]*")
_NO_ROUTE: Final = (404, 405, 501)
_ASKED: Final = tuple(profile for profile in Profile if profile is not Profile.MULTI_MODEL)
"""A server of many models is invoked through `/models/NAME/invoke`, and need not answer `/invocations`."""
SAMPLE_HINT: Final = f"give a request that it takes with {SAMPLE}"


def is_timed_out(exchange: Exchange) -> bool:
    """Whether a server in the container gave up on the request before it was answered, as its log says."""
    return bool(_timed_out(exchange))


def _timed_out(exchange: Exchange) -> tuple[str, ...]:
    """The lines that say so: what follows them in the log may be a long traceback."""
    return tuple(line for line in exchange.log if _TIMED_OUT.search(line))


def _worker(invocations: Invocations) -> Verdict:
    given_up = [exchange for exchange in invocations.all if is_timed_out(exchange)]
    if given_up:
        sentence = f"{len(given_up)} of {len(invocations.all)} invocations were given up by a server in the container"
        return failed(sentence, *(replace(exchange.evidence, log=_timed_out(exchange)) for exchange in given_up[:4]))
    return passed(f"none of {len(invocations.all)} invocations was given up by a server in the container")


def _time(invocations: Invocations) -> Verdict:
    return _in_time(invocations, 1.0)


def _margin(invocations: Invocations) -> Verdict:
    return _in_time(invocations, _MARGIN)


def _in_time(invocations: Invocations, share: float) -> Verdict:
    """Whether all took at most a share of the time that they have; samples were repeated when they did not."""
    late = [exchange for exchange in invocations.all if exchange.total_s > share * _limit_s(invocations, exchange)]
    late = [exchange for exchange in late if exchange.is_success or exchange in invocations.samples]
    if late:
        slowest = max(late, key=lambda exchange: exchange.total_s)
        sentence = f"the slowest took {slowest.total_s:.1f} s, want {share * _limit_s(invocations, slowest):g} s"
        return failed(sentence, *(exchange.evidence for exchange in late[:4]))
    if not invocations.succeeded:
        return unknown(f"no request was answered with 2xx; {SAMPLE_HINT}", decide=SAMPLE)
    slowest = max(invocations.succeeded, key=lambda exchange: exchange.total_s)
    return passed(f"{len(invocations.succeeded)} answered with 2xx, the slowest after {slowest.total_s:.3f} s")


def _limit_s(invocations: Invocations, exchange: Exchange) -> float:
    return max(invocations.limit_s, STREAM.value) if exchange.is_stream else invocations.limit_s


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
    if all(exchange.error.startswith(("no answer", "no end")) for exchange in probes):
        sentence = f"a generic request has no answer: it may be work in earnest; {SAMPLE_HINT}"
        return unknown(sentence, probes[0].evidence, decide=SAMPLE)
    if all(exchange.status is None for exchange in probes):
        return failed("POST /invocations is never answered", probes[0].evidence)
    listed = ", ".join(f"{exchange.status or exchange.error} to {exchange.request.name}" for exchange in probes)
    sentence = f"no generic request was answered with 2xx ({listed}); {SAMPLE_HINT}"
    return unknown(sentence, *(exchange.evidence for exchange in probes[:2]), decide=SAMPLE)


def _accepted_type(invocations: Invocations) -> Verdict:
    asked = [exchange for exchange in invocations.samples if exchange.request.header("Accept") not in ("", "*/*")]
    if not asked:
        return skipped(f"no sample says what it accepts: {SAMPLE} --accept TYPE")
    wrong = [exchange for exchange in asked if exchange.is_success and not _is_accepted(exchange)]
    if wrong:
        listed = ", ".join(f"`{one.header('Content-Type')}` for `{one.request.header('Accept')}`" for one in wrong)
        return failed(listed, *(exchange.evidence for exchange in wrong[:4]))
    types = ", ".join(f"{exchange.request.content_type} to {exchange.header('Content-Type')}" for exchange in asked)
    return passed(f"answered as asked: {types}")


def _is_accepted(exchange: Exchange) -> bool:
    given = media_type.parse(exchange.header("Content-Type") or "")
    wanted = media_type.parse_accept(exchange.request.header("Accept"))
    return given is not None and any(one.matches(given.essence) for one in wanted)


def _declared_type(invocations: Invocations) -> Verdict:
    answers = [exchange for exchange in invocations.succeeded if exchange.length]
    if not answers:
        return unknown(f"no request was answered with 2xx and a body; {SAMPLE_HINT}", decide=SAMPLE)
    untold = [exchange for exchange in answers if media_type.parse(exchange.header("Content-Type") or "") is None]
    if untold:
        sentence = f"{len(untold)} of {len(answers)} answers do not say what they are"
        return failed(sentence, *(exchange.evidence for exchange in untold[:4]))
    return passed(f"{len(answers)} answers say what they are")


def _headers(headers: Headers) -> Verdict:
    baseline = headers.baseline
    tried = (("unknown headers", headers.extra), ("no Accept", headers.without_accept))
    # Without Content-Type a server may guess wrongly and refuse; it may not break.
    broken = [(what, exchange) for what, exchange in tried if is_worse(baseline, exchange)]
    if _is_broken(headers.without_content_type) and not _is_broken(baseline):
        broken.append(("no Content-Type", headers.without_content_type))
    if broken:
        sentence = ", ".join(f"with {what} {exchange.status or exchange.error}" for what, exchange in broken)
        evidence = (exchange.evidence for _, exchange in broken)
        return failed(f"{sentence}, without the change {baseline.status}", *evidence)
    if not baseline.is_success:
        sentence = f"nothing broke, but no request was answered with 2xx; {SAMPLE_HINT}"
        return unknown(sentence, baseline.evidence, decide=SAMPLE)
    return passed("unknown headers are ignored; Accept and Content-Type may be missing")


def _parameters(headers: Headers) -> Verdict:
    baseline, changed = headers.baseline, headers.parameters
    if not baseline.is_success:
        return unknown(f"no request was answered with 2xx; {SAMPLE_HINT}", baseline.evidence, decide=SAMPLE)
    if not changed.is_success:
        return failed(f"`{changed.request.content_type}` is refused", changed.evidence)
    return passed(f"`{changed.request.content_type}` is taken")


def _hosts(headers: Headers) -> Verdict:
    worse = [exchange for exchange in headers.hosts if is_worse(headers.baseline, exchange)]
    if worse:
        listed = ", ".join(f"{exchange.request.header('Host')}" for exchange in worse)
        return failed(f"refused with Host {listed}", *(exchange.evidence for exchange in worse))
    if not headers.baseline.is_success:
        return unknown(f"no request was answered with 2xx; {SAMPLE_HINT}", headers.baseline.evidence, decide=SAMPLE)
    return passed("answered for the hosts and user agents of endpoints and transform jobs")


def _session(headers: Headers) -> Verdict:
    changed = headers.session
    if _is_broken(changed) and not _is_broken(headers.baseline):
        sentence = f"with the id of a session that nobody opened: {changed.status or changed.error}"
        return failed(f"{sentence}, without {headers.baseline.status}", changed.evidence)
    return passed(f"the id of a session that nobody opened is answered with {changed.status or changed.error}")


def _attributes(headers: Headers) -> Verdict:
    for exchange in headers.all:
        answered = exchange.header(HEADER_CUSTOM_ATTRIBUTES)
        if answered is None:
            continue
        if len(answered) > CUSTOM_ATTRIBUTES.value or not _VISIBLE.fullmatch(answered):
            return failed(
                f"an answer carries {len(answered)} characters that are too many or not ASCII", _told(exchange)
            )
        if ATTRIBUTES in answered and not exchange.request.header(HEADER_CUSTOM_ATTRIBUTES):
            return failed("an answer carries the custom attributes of another request", _told(exchange))
    if is_worse(headers.baseline, headers.attributes):
        sentence = f"{CUSTOM_ATTRIBUTES.value:g} characters of custom attributes: {headers.attributes.outcome}"
        return failed(sentence, headers.attributes.evidence)
    if not headers.baseline.is_success:
        return unknown(f"no request was answered with 2xx; {SAMPLE_HINT}", headers.baseline.evidence, decide=SAMPLE)
    return passed(f"{CUSTOM_ATTRIBUTES.value:g} characters are taken, and no answer has those of another request")


def _told(exchange: Exchange) -> Evidence:
    attributes = exchange.header(HEADER_CUSTOM_ATTRIBUTES) or ""
    return Evidence(exchange.request.line, f"{HEADER_CUSTOM_ATTRIBUTES}: {printable(attributes[:200])}")


def _is_broken(exchange: Exchange) -> bool:
    return exchange.status is None or exchange.is_server_error


def is_worse(baseline: Exchange, changed: Exchange) -> bool:
    """Whether a request that was changed is answered worse than as it was; False where that was broken already."""
    if _is_broken(baseline):
        return False
    return _is_broken(changed) or (baseline.is_success and not changed.is_success)


_INVOCATIONS: Final[Group[Invocations]] = Group("invocations", Invocations, needs=("start-healthy",))
_HEADERS: Final[Group[Headers]] = Group("invocations", Headers, needs=("start-healthy", "invocations"))

CHECKS: Final[tuple[Check[Invocations] | Check[Headers], ...]] = (
    _INVOCATIONS.check(
        must(
            "worker-timeout",
            f"{SERVING_ISSUES}/130",
            "No server in the container gives up on an invocation before SageMaker does, after 60 seconds.",
            "gunicorn: --timeout 60 or more, 3600 for transform jobs; nginx: proxy_read_timeout; uWSGI: no harakiri",
            rows="F06",
        ),
        _worker,
    ),
    _INVOCATIONS.check(
        must(
            "invocation-time",
            HOSTING_PAGE,
            "An invocation is answered within 60 seconds, a streamed answer within 8 minutes.",
            "make the model faster, take less in one request, or sell it for transform jobs, which wait longer",
            rows="C10 F09",
        ),
        _time,
        "worker-timeout",
    ),
    _INVOCATIONS.check(
        should(
            "invocation-time-margin",
            HOSTING_PAGE,
            "An invocation is answered within 30 seconds: the buyer's instance may be slower than this machine.",
            "recommend an instance type on which it is quick; see also invocation-time",
            rows="C10",
        ),
        _margin,
        "invocation-time",
    ),
    _INVOCATIONS.check(
        must(
            "invocations",
            MODEL_PACKAGE_IMAGES,
            "POST /invocations takes inference requests and answers them.",
            "route POST /invocations to the model; give `argosy check` a request with --sample and --content-type",
            rows="C08 F06",
            only=_ASKED,
        ),
        _invocations,
        "worker-timeout",
        "invocation-time",
    ),
    _INVOCATIONS.check(
        must(
            "response-media-type",
            MARKETPLACE_RESOURCE,
            "A declared content type is answered with the response media type that is asked for.",
            "answer in the media type of Accept, or declare in SupportedResponseMIMETypes only what is answered",
            rows="C08 V04",
        ),
        _accepted_type,
        "invocations",
    ),
    _INVOCATIONS.check(
        should(
            "response-content-type",
            INVOKE_ENDPOINT,
            "An answer says in Content-Type what it is: the buyer's client, or the next in a pipeline, is told so.",
            "set Content-Type on every answer with a body",
            rows="C08 N10 V04",
        ),
        _declared_type,
        "invocations",
    ),
    _HEADERS.check(
        must(
            "invocation-headers",
            HOSTING_PAGE,
            "Unknown request headers are ignored, and Content-Type and Accept may be missing.",
            "read only the headers you know, and have a default for Content-Type and Accept",
            rows="C11 R01 R02 R03",
        ),
        _headers,
    ),
    _HEADERS.check(
        must(
            "invocation-any-host",
            f"{SDK_ISSUES}/1554",
            "POST /invocations is answered whatever the Host and User-Agent header.",
            "allow every host (Django: ALLOWED_HOSTS = ['*']; Starlette: no TrustedHostMiddleware)",
            rows="C12",
        ),
        _hosts,
        "ping-any-host",
    ),
    _HEADERS.check(
        should(
            "session-id",
            INVOKE_ENDPOINT,
            "A session id is ignored, or refused with 4xx when there is no such session.",
            "ignore X-Amzn-SageMaker-Session-Id, or answer 400 to an id that you do not know",
            rows="C11",
        ),
        _session,
    ),
    _HEADERS.check(
        should(
            "custom-attributes",
            INVOKE_ENDPOINT,
            "Custom attributes of up to 1024 characters are taken, and answered to the request that set them only.",
            "ignore X-Amzn-SageMaker-Custom-Attributes, or keep them with their request",
            rows="C11 R10",
        ),
        _attributes,
        "invocation-headers",
    ),
    _HEADERS.check(
        should(
            "media-type-parameters",
            INVOKE_ENDPOINT,
            "A Content-Type with parameters, `text/csv; charset=utf-8`, means the same as without.",
            "compare type/subtype, not the whole header field",
            rows="C11 R04",
        ),
        _parameters,
    ),
)
