"""Reports that a run could have given."""

import datetime
from dataclasses import replace
from typing import Final

from argosy.conformance.catalogue import CLAUSES
from argosy.conformance.check import SAMPLE, Evidence, failed, passed, skipped, unknown
from argosy.conformance.finding import Finding, Report
from argosy.conformance.profile import Profile
from argosy.conformance.recording import Kind, Latency, Life, Moment, Recording, Sample, TimedExchange, Turn
from argosy.project_file import Waiver

LONG_ANSWER: Final = "500, text/html, 265 bytes: <!doctype html> <title>500 Internal Server Error</title> " * 2 + "x"

REPORT: Final = Report(
    target="docker-daemon:my-inference-image",
    digest="sha256:" + "ab" * 32,
    container="docker",
    seconds=12.345,
    findings=(
        Finding(CLAUSES["image-root"], "image", passed("runs as root")),
        Finding(CLAUSES["image-init"], "image", unknown("AWS names tini; nobody wrote down whether `dumb-init` works")),
        Finding(CLAUSES["model-archive"], "image", skipped("no --model-data was given")),
        Finding(
            CLAUSES["error-client"],
            "errors",
            failed(
                "not with 4xx: malformed JSON 500",
                Evidence("POST /invocations, Content-Type: application/json, body of 22 bytes", LONG_ANSWER, 0.004),
            ),
        ),
        Finding(
            CLAUSES["stop-grace"],
            "stop",
            failed(
                "it ignores SIGTERM and had to be killed",
                Evidence("SIGTERM", "still runs after 30 s", 30.0, ("a", "b", "c", "d", "the last line of the log")),
            ),
        ),
    ),
    checked_at="2026-11-22T10:11:12+00:00",
    version="1.2.3",
)

UNDECIDED: Final = Report(
    "x",
    "",
    "process",
    1.0,
    (
        *REPORT.findings[:3],
        Finding(CLAUSES["start-offline"], "start", unknown("not cut off", decide="--container docker")),
        Finding(CLAUSES["ping-busy"], "health", unknown("never busy", decide=SAMPLE)),
        Finding(CLAUSES["invocations"], "invocations", unknown("not understood", decide=SAMPLE)),
        Finding(CLAUSES["stop-drain"], "stop", unknown("nothing was predicted", decide=SAMPLE)),
    ),
)

CONFORMING: Final = Report("oci:build/image:latest", "sha256:" + "cd" * 32, "sandbox", 1.0, REPORT.findings[:1])

NASTY: Final = (
    "\"'><script>document.title = 'owned'</script><img src=x onerror=\"document.title='owned'\">"
    "]]><![CDATA[&lt; </style></title></pre>\x1b[2J\x00\n\udcff\u202e[link](https://example.invalid)"
)
"""What a stranger's image could say of itself."""

HOSTILE: Final = Report(
    target=NASTY,
    digest=f"sha256:{NASTY}",
    container=NASTY,
    seconds=1.0,
    findings=tuple(
        Finding(finding.clause, NASTY, verdict(NASTY, Evidence(NASTY, NASTY, 0.1, (NASTY, NASTY))))
        for finding, verdict in zip(REPORT.findings, (passed, unknown, skipped, failed, failed), strict=True)
    ),
    recording=Recording(
        (
            Life(
                NASTY,
                0.0,
                1.0,
                (Turn(Moment.STARTED, 0.0), Turn(Moment.HEALTHY, 0.2)),
                (TimedExchange(Kind.INVOCATION, NASTY, 0.3, 0.1, 500, 2),),
                (Latency(Kind.INVOCATION, 1, 0.1, 0.1, 0.1, 0.1, ((0.1, 1),)),),
                (Sample(0.1, 2**20), Sample(0.9, 2**21)),
            ),
        )
    ),
)
"""A report in which every field that a stranger fills is hostile."""

WAIVED: Final = replace(
    REPORT,
    findings=tuple(
        replace(finding, waiver=Waiver("stop-grace", "the next release has it", datetime.date(2027, 3, 1)))
        if finding.clause.id == "stop-grace"
        else finding
        for finding in REPORT.findings
    ),
    profile=Profile.MARKETPLACE,
    notes=("the waiver of image-root waives nothing: the clause holds",),
    is_given_again=True,
)
"""The same, with a clause of level MUST waived, given again from the cache."""

NOT_EXAMINED: Final = Report(
    "docker://registry.example/gone:1.0",
    "",
    "",
    0.0,
    checked_at="2026-11-22T10:11:12+00:00",
    failure="no such image hint: argosy image show",
)
"""A report on an image that could not be examined."""

HIDDEN: Final = Report(
    "x",
    "",
    "docker",
    1.0,
    (
        Finding(CLAUSES["start-healthy"], "start", failed("no 200"), waiver=WAIVED.waived[0].waiver),
        Finding(CLAUSES["ping"], "health", skipped("it builds on start-healthy"), blocked_by="start-healthy"),
    ),
)
"""A report in which nothing fails that counts, and a waived failure keeps another clause from being tried."""

_NO_IMAGE: Final = skipped("there is no image: `.` is run as it is")

NOT_TRIED: Final = Report(
    "x",
    "",
    "process",
    1.0,
    (
        *(Finding(CLAUSES[id_], "image", _NO_IMAGE) for id_ in ("image-manifest", "image-platform", "image-init")),
        Finding(CLAUSES["image-root"], "image", passed("runs as root")),
        *(Finding(CLAUSES[id_], "image", _NO_IMAGE) for id_ in ("image-secrets", "model-archive")),
        Finding(CLAUSES["ping"], "health", _NO_IMAGE),
    ),
)
"""A report in which several clauses were not tried for the same reason."""

RECORDING: Final = Recording(
    (
        Life(
            act="endpoint",
            began_s=0.1,
            seconds=12.0,
            turns=(
                Turn(Moment.STARTED, 0.0),
                Turn(Moment.ACCEPTED, 0.3),
                Turn(Moment.HEALTHY, 1.2),
                Turn(Moment.TERMINATED, 9.5),
                Turn(Moment.ENDED, 11.75),
            ),
            exchanges=(
                TimedExchange(Kind.HEALTH_CHECK, "GET /ping", 0.1, 0.0002, None),
                TimedExchange(Kind.HEALTH_CHECK, "GET /ping", 0.4, 0.002, 503),
                TimedExchange(Kind.HEALTH_CHECK, "GET /ping", 1.2, 0.0015, 200),
                TimedExchange(Kind.INVOCATION, "JSON list", 2.0, 0.25, 200, 12),
                TimedExchange(Kind.INVOCATION, "malformed JSON", 3.0, 0.01, 400, 22),
                TimedExchange(Kind.INVOCATION, "JSON list", 4.0, 2.5, 500, 25 * 2**20),
                TimedExchange(Kind.OTHER, "GET /execution-parameters", 7.0, 0.001, 404),
            ),
            latencies=(
                Latency(Kind.HEALTH_CHECK, 2, 0.0015, 0.002, 0.002, 0.002, ((0.002, 2),)),
                Latency(Kind.INVOCATION, 3, 0.25, 2.5, 2.5, 2.5, ((0.01, 1), (0.5, 1), (5.0, 1))),
            ),
            memory=tuple(Sample(number / 2, (50 + number % 7 * 20) * 2**20) for number in range(23)),
        ),
        Life("empty model", 12.5, 0.4, (Turn(Moment.STARTED, 0.0), Turn(Moment.ENDED, 0.4))),
        Life("nothing", 13.0, 0.0, (Turn(Moment.STARTED, 0.0), Turn(Moment.REFUSED, 0.0))),
    )
)
"""Containers as a run would have recorded them: a whole life, one that ends at once, one that never began."""
