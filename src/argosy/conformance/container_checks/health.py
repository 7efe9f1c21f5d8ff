"""Health checks: quick, steady, honest, for any Host header."""

from typing import Final

from argosy.conformance.check import SAMPLE, Check, Evidence, Group, Verdict, failed, passed, unknown
from argosy.conformance.clause import fact, must, should
from argosy.conformance.probes import Exchange, size
from argosy.conformance.scenes.endpoint import Health, Honesty
from argosy.conformance.sources import SDK_ISSUES
from argosy.contract import HOSTING_PAGE, PING


def _ping(health: Health) -> Verdict:
    return answered_in_time(health.pings, "")


def _steady(health: Health) -> Verdict:
    answered = [exchange for exchange in health.between if exchange.status is not None]
    wrong = [exchange for exchange in answered if exchange.status != 200]
    if wrong:
        sentence = f"{len(wrong)} of {len(answered)} between invocations were answered with {wrong[0].status}"
        return failed(sentence, *_evidence(wrong[:3]))
    if not answered:
        return unknown("no invocation was answered that it could be tried after", decide=SAMPLE)
    return passed(f"{len(answered)} between invocations were answered with 200")


def _post(health: Health) -> Verdict:
    if health.post is None or health.post.status != 200:
        seen = health.post.outcome if health.post else "nothing"
        return failed(f"POST /ping: {seen}", *_evidence([health.post] if health.post else []))
    return passed("POST /ping is answered with 200 too")


def _body(health: Health) -> Verdict:
    chatty = [exchange for exchange in health.pings if exchange.status == 200 and exchange.length]
    if chatty:
        return failed(f"the body has {size(chatty[0].length)}", chatty[0].evidence)
    return passed("the body is empty")


def answered_in_time(pings: tuple[Exchange, ...], meanwhile: str) -> Verdict:
    """Whether health checks were answered with 200 in time; `meanwhile` ends the sentence."""
    wrong = [exchange for exchange in pings if exchange.status != 200]
    if wrong:
        return failed(f"{len(wrong)} of {len(pings)} were not answered with 200{meanwhile}", *_evidence(wrong[:3]))
    slowest = max(pings, key=lambda exchange: exchange.total_s)
    if slowest.total_s > PING.value:
        sentence = f"one took {slowest.total_s:.1f} s, want at most {PING.value:g} s{meanwhile}"
        return failed(sentence, slowest.evidence)
    return passed(f"{len(pings)} times 200, the slowest after {slowest.total_s * 1000:.0f} ms{meanwhile}")


def _honest(honesty: Honesty) -> Verdict:
    unready = [exchange for exchange in honesty.start.pings if exchange.status not in (200, None)]
    if unready:
        return passed(f"{unready[0].status} was answered until the model was loaded", unready[0].evidence)
    bare, again, baseline = honesty.bare, honesty.bare_invocation, honesty.baseline
    if bare is None or baseline is None:
        return unknown(
            "it is 200 as soon as the server listens; give --model-data and a --sample that is answered with 2xx,"
            " then it is tried without the artifacts",
            decide=f"--model-data FILE {SAMPLE}",
        )
    if not bare.is_healthy:
        return passed("without artifacts it is not healthy", *_evidence(bare.pings[-1:]))
    if again is None or again.is_success:
        return unknown("without artifacts it is 200, and so is the invocation: it may not need them")
    return failed(
        "without artifacts it is still 200, but the invocation fails: the answer is static",
        Evidence("GET /ping with an empty /opt/ml/model", "200"),
        again.evidence,
    )


def _any_host(health: Health) -> Verdict:
    wrong = [exchange for exchange in health.hosts if exchange.status != 200]
    if wrong:
        hosts = ", ".join(dict(exchange.request.headers).get("Host", "") for exchange in wrong)
        return failed(f"refused with Host {hosts}", *_evidence(wrong))
    return passed("200 for the hosts and user agents of endpoints and transform jobs")


def _evidence(exchanges: tuple[Exchange, ...] | list[Exchange]) -> tuple[Evidence, ...]:
    return tuple(exchange.evidence for exchange in exchanges)


_HEALTH: Final[Group[Health]] = Group("health", Health, needs=("start-healthy",))
_HONESTY: Final[Group[Honesty]] = Group("health", Honesty, needs=("start-healthy",))

CHECKS: Final[tuple[Check[Health] | Check[Honesty], ...]] = (
    _HEALTH.check(
        must(
            "ping",
            HOSTING_PAGE,
            "Every GET /ping is answered with 200 within 2 seconds.",
            "answer /ping outside the process that loads and runs the model",
            rows="C05 F04 S07",
        ),
        _ping,
    ),
    _HEALTH.check(
        must(
            "ping-steady",
            HOSTING_PAGE,
            "Once GET /ping is 200 it stays so: SageMaker takes an instance out of service that does not.",
            "load all of the model before the first 200, and answer 503 only when nothing can be predicted any more",
            rows="C06",
        ),
        _steady,
        "ping",
    ),
    _HEALTH.check(
        fact(
            "ping-post",
            HOSTING_PAGE,
            "POST /ping is answered as GET is: SageMaker's page names it, though GET is what was seen.",
            "route POST /ping to the same function",
            rows="C05 S07",
        ),
        _post,
        "ping",
    ),
    _HEALTH.check(
        fact(
            "ping-body",
            HOSTING_PAGE,
            "The body of a health check's answer is empty.",
            "answer /ping with a status and no body: nobody reads it",
            rows="C05",
        ),
        _body,
        "ping",
    ),
    _HONESTY.check(
        should(
            "ping-honest",
            HOSTING_PAGE,
            "GET /ping says whether the model can be invoked, and is no static 200.",
            "answer /ping with 503 until the model is loaded and whenever it cannot predict",
            rows="C07 F05 S08",
        ),
        _honest,
    ),
    _HEALTH.check(
        must(
            "ping-any-host",
            f"{SDK_ISSUES}/1554",
            "GET /ping is answered whatever the Host header;"
            " SageMaker sends model.aws.local:8080 and 169.254.255.131:8080.",
            "allow every host (Django: ALLOWED_HOSTS = ['*']; Starlette: no TrustedHostMiddleware)",
            rows="C12 F04",
        ),
        _any_host,
    ),
)
