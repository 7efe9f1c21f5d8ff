"""Starts with less than usual, in real sandboxes: what the kernel denies is what the findings say."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from argosy.conformance.case import Case
from argosy.conformance.check import Status
from argosy.conformance.finding import Finding
from argosy.conformance.observing import endpoint
from argosy.conformance.observing.act import Act, observe
from argosy.conformance.observing.bench import Bench
from argosy.conformance.profile import Profile
from argosy.conformance.run import asked_by, judge
from argosy.conformance.scenes.endpoint import Invocations, Start
from argosy.conformance.scenes.starts import OnInstance
from argosy.conformance.starts import batch, instance, pipeline, read_only, serverless
from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.containers.instance_types import InstanceType
from argosy.simulator.containers.sandbox import SandboxContainer
from tests.conformance.servers import failed_clauses, of_acts, reasons
from tests.conformance.test_starts import SHORT

SERVER = r"""
$| = 1;
$SIG{TERM} = sub { exit 0 };
my $port = $ENV{SAGEMAKER_BIND_TO_PORT} || 8080;
socket(my $server, 2, 1, 0) or die "socket: $!";
setsockopt($server, 1, 2, pack("i", 1));
bind($server, pack("S n a4 x8", 2, $port, "\0\0\0\0")) or die "bind: $!";
listen($server, 64);
START
while (accept(my $client, $server)) {
    my ($head, $body) = ("", "");
    while (defined(my $line = readline $client)) { last if $line eq "\r\n"; $head .= $line }
    read $client, $body, $1 if $head =~ /content-length: *(\d+)/i;
    ANSWER
    print $client "HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nConnection: close\r\nContent-Length: "
        . length($body) . "\r\n\r\n$body";
    close $client;
}
"""
"""Answers every body with itself; Perl is what every user of this machine can run."""

SMALL = InstanceType("ml.small", 1, 128 * 2**20, 16 * 2**20)
WRITES = 'open(my $cache, ">", "/opt/cache") or die "/opt/cache: $!";'
WRITES_LATER = 'if ($body) { open(my $cache, ">>", "/opt/answers") or die "/opt/answers: $!"; print $cache $body }'
READS_ROOT = 'opendir(my $home, "/root") or die "/root: $!";'
FILLS_MEMORY = 'my $weights = "w"; $weights x= 160 * 2**20;'
FILLS_DISK = """
open(my $copy, ">", "/opt/copy") or die "/opt/copy: $!";
for (1..32) { print $copy "w" x 2**20 or die "/opt/copy: $!" }
close $copy or die "/opt/copy: $!";
"""


def judge_sandbox(
    acts: Sequence[Act], *, start: str = "", answer: str = "", profile: Profile = Profile.SAGEMAKER
) -> Mapping[str, Finding]:
    script = SERVER.replace("START", start).replace("ANSWER", answer)

    def launch(told: Launch) -> Container:
        return SandboxContainer(Path("/"), {"Entrypoint": ["perl", "-e", script]}, "perl", told)

    scenes = {scene for act in acts for scene in act.scenes} | {Start, Invocations}
    checks = [check for check in asked_by(profile) if check.scene in scenes]
    bench = Bench(launch, is_read_only=True, startup_s=20.0, instance_type=SMALL, serverless_mb=1024)
    case = observe(bench, (SHORT, *acts), scenes)
    return {finding.clause.id: finding for finding in judge(case, checks, profile)}


def test_what_needs_nothing_fails_nothing() -> None:
    findings = judge_sandbox((batch.ACT, read_only.ACT, instance.ACT))
    assert failed_clauses(findings) == set(), reasons(findings)
    of_these = of_acts(findings, batch.ACT, read_only.ACT, instance.ACT)
    not_passed = {clause_id for clause_id, found in of_these.items() if found.status is not Status.PASS}
    assert not_passed == {"second-start"}
    assert findings["second-start"].status is Status.UNKNOWN
    assert findings["second-start"].verdict.decide == "--container docker"


@pytest.mark.parametrize(("start", "answer", "path"), [(WRITES, "", "/opt/cache"), ("", WRITES_LATER, "/opt/answers")])
def test_what_is_written_outside_tmp_is_named(start: str, answer: str, path: str) -> None:
    findings = judge_sandbox((read_only.ACT,), start=start, answer=answer)
    assert failed_clauses(findings) == {"read-only-root"}, reasons(findings)
    evidence = findings["read-only-root"].verdict.evidence
    assert ("what it writes where it can", path) in {(seen.sent, seen.received) for seen in evidence}
    assert any("Read-only file system" in line for seen in evidence for line in seen.log)


def test_shared_memory_is_64_mb() -> None:
    fills = FILLS_DISK.replace("/opt/copy", "/dev/shm/weights").replace("1..32", "1..80")

    def launch(told: Launch) -> Container:
        script = SERVER.replace("START", fills).replace("ANSWER", "")
        return SandboxContainer(Path("/"), {"Entrypoint": ["perl", "-e", script]}, "perl", told)

    case = observe(Bench(launch, is_read_only=True, startup_s=20.0), (endpoint.ACT,), endpoint.ACT.scenes)
    checks = [check for check in asked_by(Profile.SAGEMAKER) if check.scene in endpoint.ACT.scenes]
    findings = {found.clause.id: found for found in judge(case, checks)}
    assert failed_clauses(findings) == {"start-shared-memory"}, reasons(findings)


def test_a_user_that_is_not_root_gets_along_on_a_serverless_endpoint() -> None:
    findings = judge_sandbox((serverless.ACT,), profile=Profile.SERVERLESS)
    assert failed_clauses(findings) == set(), reasons(findings)
    assert {found.status for found in of_acts(findings, serverless.ACT).values()} == {Status.PASS}


def test_what_root_alone_may_do_fails_on_a_serverless_endpoint() -> None:
    findings = judge_sandbox((serverless.ACT,), start=READS_ROOT, profile=Profile.SERVERLESS)
    assert failed_clauses(findings) == {"serverless-user"}, reasons(findings)
    assert any(
        "Permission denied" in line for seen in findings["serverless-user"].verdict.evidence for line in seen.log
    )


def test_what_needs_more_memory_than_the_instance_type_has_is_told_with_the_numbers() -> None:
    findings = judge_sandbox((instance.ACT,), start=FILLS_MEMORY)
    assert failed_clauses(findings) == {"instance-type-memory"}, reasons(findings)
    verdict = findings["instance-type-memory"].verdict
    assert "ml.small has 0.125 GiB" in verdict.reason
    workers = [seen.received for seen in verdict.evidence if seen.sent == "its processes where nothing limits them"]
    assert workers and re.fullmatch(r"1 with 0\.\d+ GiB together: perl 0\.\d+ GiB", workers[0])


def test_what_needs_more_disk_than_the_instance_type_has_is_told() -> None:
    findings = judge_sandbox((instance.ACT,), start=FILLS_DISK)
    assert failed_clauses(findings) == {"instance-type-disk"}, reasons(findings)


def test_without_an_instance_type_nothing_is_limited_and_nothing_said() -> None:
    case = instance.ACT.play(Bench(lambda told: pytest.fail("it is started"), is_read_only=True), Case.of(Start(9.0)))
    assert case.absent[OnInstance] == "no --instance-type was given"


def test_two_containers_of_a_pipeline_share_a_network() -> None:
    findings = judge_sandbox((pipeline.ACT,), profile=Profile.PIPELINE)
    assert failed_clauses(findings) == set(), reasons(findings)
    assert {found.status for found in of_acts(findings, pipeline.ACT).values()} == {Status.PASS}
    taken = judge_sandbox(
        (pipeline.ACT,),
        start='socket(my $more, 2, 1, 0); bind($more, pack("S n a4 x8", 2, 9009, "\\0\\0\\0\\0")) or die "bind: $!";',
        profile=Profile.PIPELINE,
    )
    assert failed_clauses(taken) == {"safe-port-range"}, reasons(taken)
    assert "a port is taken" in taken["safe-port-range"].verdict.reason
