"""What clients may do to a server: large bodies, many connections, bytes that are no request: `--drills`."""

from typing import Final

from argosy.conformance.check import SAMPLE, Check, Evidence, Group, Verdict, failed, passed, unknown
from argosy.conformance.clause import must, should
from argosy.conformance.container_checks.drills import NAME, timed
from argosy.conformance.probes import Exchange, size
from argosy.conformance.scenes.drills import Aftermath, Connections, Garbage, LargeBodies, RoughClients
from argosy.conformance.sources import EXAMPLES_ISSUES, SDK_ISSUES
from argosy.contract import CREATE_TRANSFORM_JOB, HOSTING_PAGE

_KILLED: Final = 137
_MEGABYTE: Final = 2**20


def _silent(rough: RoughClients) -> Verdict:
    return _still_answers(rough.silent, "with")


def _vanished(rough: RoughClients) -> Verdict:
    return _still_answers(rough.vanished, "after")


def _half_heads(rough: RoughClients) -> Verdict:
    return _still_answers(rough.half_heads, "with")


def _during(connections: Connections) -> Verdict:
    during = connections.during
    if not during.is_fine:
        return _still_answers(during, "with")
    if connections.note:
        return unknown(f"it answers with {during.what}, but {connections.note}: want {connections.wanted}")
    if connections.opened < connections.wanted:
        return failed(f"it took {connections.opened} of {connections.wanted} connections", *_evidence(during))
    return _still_answers(during, "with")


def _closed(connections: Connections) -> Verdict:
    return _still_answers(connections.after, "after")


def _garbage(garbage: Garbage) -> Verdict:
    if garbage.broken:
        listed = ", ".join(aftermath.what for aftermath in garbage.broken)
        evidence = [seen for aftermath in garbage.broken for seen in _evidence(aftermath)]
        return failed(f"twice it did not live on after {listed}", *evidence)
    return passed(f"it lives on after each of {len(garbage.kinds)} kinds: {', '.join(garbage.kinds)}")


def _survival(bodies: LargeBodies) -> Verdict:
    after = bodies.after
    if after.exit_code == _KILLED:
        return unknown("it was killed, not by us: this machine may have run out of memory", *_evidence(after))
    if not after.is_fine and any(exchange.error.startswith("no answer") for exchange in _bodies(bodies)):
        sentence = "it is not as before, but bodies had no answer yet: it may still be at work"
        return unknown(sentence, *_evidence(after), decide=SAMPLE)
    verdict = _still_answers(after, "after")
    return Verdict(verdict.status, f"{verdict.reason}{_memory(bodies)}", verdict.evidence)


def _hundred(bodies: LargeBodies) -> Verdict:
    announced = bodies.announced_mb
    refused = [exchange for exchange in bodies.alone if _is_untaken(exchange, bodies.baseline)]
    if refused and announced is not None and announced < 100 and all(one.status == 413 for one in refused):
        return passed(f"/execution-parameters says MaxPayloadInMB {announced}, and longer bodies are refused with 413")
    waiting = [exchange for exchange in refused if exchange.error.startswith("no answer")]
    if waiting:
        sentence = "a body has no answer yet: it may be work in earnest; give a small request that may end in blanks"
        return unknown(sentence, *(exchange.evidence for exchange in waiting), decide=SAMPLE)
    if refused:
        listed = ", ".join(f"{one.request.name}: {one.status or one.error}" for one in refused)
        return failed(listed, *(exchange.evidence for exchange in refused))
    if not bodies.is_complete:
        last = bodies.alone[-1]
        return unknown(f"longer ones were not tried: one took {last.total_s:.0f} s", last.evidence, decide=SAMPLE)
    if bodies.baseline.is_server_error:
        sentence = f"all are answered with {bodies.baseline.status}, as a small one; give a request with {SAMPLE}"
        return unknown(sentence, decide=SAMPLE)
    slowest = max(exchange.total_s for exchange in bodies.alone)
    statuses = ", ".join(str(exchange.status) for exchange in bodies.alone)
    return passed(f"bodies of up to 100 MB are taken: {statuses}, the slowest after {slowest:.1f} s{_memory(bodies)}")


def _at_once(bodies: LargeBodies) -> Verdict:
    lost = [exchange for exchange in bodies.at_once if _is_untaken(exchange, bodies.baseline)]
    lost = [exchange for exchange in lost if exchange.status not in (413, 429, 503)]  # a refusal, and no failure
    if any(exchange.error.startswith("no answer") for exchange in lost):
        sentence = "some have no answer yet: it may be work in earnest"
        return unknown(sentence, *(exchange.evidence for exchange in lost), decide=SAMPLE)
    if lost:
        sentence = f"{len(lost)} of {len(bodies.at_once)} bodies at once were lost: {lost[0].status or lost[0].error}"
        return failed(sentence, *(exchange.evidence for exchange in lost))
    if not bodies.at_once:
        return unknown("they were not sent: one alone had no answer, or took long", decide=SAMPLE)
    statuses = ", ".join(str(exchange.status) for exchange in bodies.at_once)
    return passed(f"{len(bodies.at_once)} at once are taken or refused: {statuses}{_memory(bodies)}")


def _is_untaken(exchange: Exchange, baseline: Exchange) -> bool:
    if exchange.status is None or exchange.status == 413:
        return True
    return exchange.is_server_error and not baseline.is_server_error


def _bodies(bodies: LargeBodies) -> tuple[Exchange, ...]:
    return (*bodies.alone, *bodies.at_once)


def _memory(bodies: LargeBodies) -> str:
    if not bodies.peak_bytes:
        return ""
    return f"; its memory grew from {size(bodies.idle_bytes)} to {size(bodies.peak_bytes)} at most"


def _still_answers(after: Aftermath, word: str) -> Verdict:
    if after.exit_code is not None:
        return failed(f"the container ended {word} {after.what}", *_evidence(after))
    if not after.is_fine:
        last = after.rounds[-1]
        wrong = f"GET /ping is {last.ping.status or last.ping.error}" if last.ping.status != 200 else "/ping is 200"
        invocation = last.invocation.status or last.invocation.error
        return failed(f"{word} {after.what} {wrong}, the invocation: {invocation}", *_evidence(after))
    last = after.rounds[-1]
    times = f"{last.ping.total_s * 1000:.0f} ms and {last.invocation.total_s * 1000:.0f} ms"
    return passed(f"{word} {after.what} health check and invocation are answered after {times}")


def _evidence(after: Aftermath) -> tuple[Evidence, ...]:
    seen = [exchange.evidence for one in after.rounds[-1:] for exchange in (one.ping, one.invocation)]
    if after.exit_code is not None:
        seen.append(Evidence(after.what, f"exit code {after.exit_code}", None, after.log))
    elif after.log:
        seen.append(Evidence("the log", f"{len(after.log)} lines", None, after.log))
    return tuple(seen)


_NEEDS: Final = ("start-healthy", "ping", "invocations")
_ROUGH: Final[Group[RoughClients]] = Group(NAME, RoughClients, _NEEDS)
_BODIES: Final[Group[LargeBodies]] = Group(NAME, LargeBodies, _NEEDS)
_CONNECTIONS: Final[Group[Connections]] = Group(NAME, Connections, _NEEDS)
_GARBAGE: Final[Group[Garbage]] = Group(NAME, Garbage, _NEEDS)

CHECKS: Final[tuple[Check[RoughClients] | Check[LargeBodies] | Check[Connections] | Check[Garbage], ...]] = (
    _ROUGH.check(
        should(
            "drill-silent-clients",
            HOSTING_PAGE,
            "Clients that invoke and read nothing do not keep others from their answers.",
            "write answers without waiting for the client; give every connection a timeout",
            rows="C10 F09 R09",
        ),
        timed(_silent),
    ),
    _ROUGH.check(
        should(
            "drill-vanished-clients",
            f"{SDK_ISSUES}/2574",
            "Clients that are gone in the middle of a body use up no worker.",
            "free the worker or the slot in a `finally` when the body cannot be read",
            rows="F09 R09",
        ),
        timed(_vanished),
    ),
    _ROUGH.check(
        should(
            "drill-half-heads",
            HOSTING_PAGE,
            "Connections on which a request never comes to its end do not keep others from their answers.",
            "let an event loop or nginx read requests, and give the workers whole ones",
            rows="C09 C10 F09",
        ),
        timed(_half_heads),
    ),
    _BODIES.check(
        must(
            "drill-bodies-survival",
            f"{EXAMPLES_ISSUES}/2793",
            "The server lives on after bodies of 25 MB and 100 MB, one after the other and at once.",
            "refuse with 413 or 503 what does not fit into memory; run fewer workers",
            rows="C19 C20 F07",
        ),
        timed(_survival),
        "error-survival",
    ),
    _BODIES.check(
        should(
            "drill-body-100-mb",
            CREATE_TRANSFORM_JOB,
            "Bodies of 25 MB and one byte and of 100 MB are taken: transform jobs may send them.",
            "nginx: client_max_body_size 100m; or say a smaller MaxPayloadInMB in GET /execution-parameters",
            rows="C19 L02 F10 R05",
        ),
        timed(_hundred),
        "large-body",
        "drill-bodies-survival",
    ),
    _BODIES.check(
        should(
            "drill-bodies-at-once",
            CREATE_TRANSFORM_JOB,
            "Several bodies of 25 MB at once are taken, or refused with a status.",
            "answer 503 when there is no room for one more; never close the connection without an answer",
            rows="C19 C21 R07",
        ),
        timed(_at_once),
        "large-body",
        "drill-bodies-survival",
        "drill-body-100-mb",
    ),
    _CONNECTIONS.check(
        should(
            "drill-connections",
            HOSTING_PAGE,
            "With 1,000 idle connections GET /ping and invocations are still answered.",
            "accept connections in an event loop, not in a thread or process each; raise the limit of open files",
            rows="C09 C10 S08",
        ),
        timed(_during),
        "drill-half-heads",
    ),
    _CONNECTIONS.check(
        should(
            "drill-connections-end",
            HOSTING_PAGE,
            "When 1,000 connections have been closed, the server is as before.",
            "free what belongs to a connection when it is closed, also when no request came",
            rows="C09",
        ),
        timed(_closed),
        "drill-connections",
    ),
    _GARBAGE.check(
        must(
            "drill-garbage",
            HOSTING_PAGE,
            "The server lives on after whatever bytes a connection brings.",
            "use a proven HTTP server; catch errors where one connection is served, never end the process",
            rows="C20",
        ),
        timed(_garbage),
        "error-survival",
    ),
)
