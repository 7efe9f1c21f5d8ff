"""What is said of a machine, for what was seen of it: each defect fails its own clause and no other."""

import re
from dataclasses import replace

import pytest

from argosy.conformance.case import Case
from argosy.conformance.catalogue import CLAUSES
from argosy.conformance.check import Status
from argosy.conformance.doctor import CHECKS
from argosy.conformance.finding import Finding
from argosy.conformance.machine_checks.reaching import SKEW_S
from argosy.conformance.machine_checks.running import CACHE_FREE, ENGINE_FREE
from argosy.conformance.run import judge
from argosy.conformance.scenes.machine import (
    Builder,
    Caller,
    Capacity,
    Clock,
    Cloud,
    Disks,
    Folder,
    Proxies,
    Runners,
    Software,
)
from argosy.simulator.containers import instance_types

M5 = instance_types.find("ml.m5.large")
GOOD = (
    Runners("docker", "28.5.2"),
    Builder("docker", driver="docker"),
    Disks(Folder("/cache", CACHE_FREE), Folder("/var/lib/docker", ENGINE_FREE)),
    Capacity(M5.cpus, M5.memory_bytes, M5),
    Cloud(True, "sso", "us-east-1"),
    Caller("arn:aws:iam::123456789012:user/seller"),
    Clock(skew_s=-SKEW_S, asked="https://sts.amazonaws.com"),
    Software("3.11.7", "0.1.0", (), (("aws", True), ("fast", False)), ("grype",)),
    Proxies((("http_proxy", "proxy:3128"),), spares_loopback=True),
)


def findings(*scenes: object) -> dict[str, Finding]:
    case = Case.of(*GOOD).joined(Case.of(*scenes))
    return {finding.clause.id: finding for finding in judge(case, CHECKS)}


def statuses(status: Status, *scenes: object) -> set[str]:
    return {name for name, finding in findings(*scenes).items() if finding.status is status}


def test_a_good_machine_passes_everything() -> None:
    assert statuses(Status.PASS) == {check.clause.id for check in CHECKS}


@pytest.mark.parametrize(
    ("scene", "failed"),
    [
        (Runners("", "", "`docker` is not installed", ""), {"engine"}),
        (Runners("docker", "28", sandbox_refusal="unshare failed"), {"sandbox"}),
        (Runners("", "", "`docker` is not installed", "unshare failed"), {"runner"}),
        (Builder("docker", keeps_indexes=True), {"engine-builds"}),
        (Builder("docker", driver="docker-container"), {"engine-builds"}),
        (Builder("podman"), {"engine-builds"}),
        (Disks(Folder("/cache", CACHE_FREE - 1)), {"cache-space"}),
        (Disks(Folder("/cache", 0, is_writable=False)), {"cache-writable"}),
        (Disks(Folder("/cache", CACHE_FREE), Folder("/docker", ENGINE_FREE - 1)), {"engine-space"}),
        (Capacity(M5.cpus - 1, M5.memory_bytes, M5), {"processors"}),
        (Capacity(M5.cpus, M5.memory_bytes - 1, M5), {"memory"}),
        (Cloud(is_installed=False), {"sdk"}),
        (Cloud(True, fault="not INI"), {"sdk"}),
        (Cloud(True, "", "us-east-1"), {"credentials"}),
        (Cloud(True, "env", ""), {"region"}),
        (Caller("", "ExpiredToken"), {"identity"}),
        (Clock(skew_s=SKEW_S + 1, asked="https://x.test"), {"clock"}),
        (Clock(skew_s=-SKEW_S - 1, asked="https://x.test"), {"clock"}),
        (Software("3.11.7", "0.1.0", ("uv is not installed",)), {"toolkit", "scanner"}),
        (Software("3.11.7", "0.1.0"), {"scanner"}),
        (Proxies((("HTTP_PROXY", "proxy:3128"),), spares_loopback=False), {"proxy-loopback"}),
    ],
)
def test_a_defect_fails_its_own_clause(scene: object, failed: set[str]) -> None:
    assert statuses(Status.FAIL, scene) == failed
    assert all(findings(scene)[name].verdict.reason for name in failed)


@pytest.mark.parametrize(
    "scene",
    [
        Builder("docker", keeps_indexes=True, makes_attestations=False),
        Builder("docker", driver="docker-container", makes_attestations=False),
        Builder("docker"),
        Builder("podman", has_docker_format=True),
        Clock(is_synchronised=True),
        Clock(asked="https://x.test", refusal="no answer", is_synchronised=True),
        Proxies(),
    ],
)
def test_what_is_right_in_another_way_passes(scene: object) -> None:
    assert statuses(Status.PASS, scene) == {check.clause.id for check in CHECKS}


@pytest.mark.parametrize(
    ("clock", "decide"),
    [
        (Clock(is_synchronised=False), "--online"),
        (Clock(is_synchronised=None), "--online"),
        (Clock(asked="https://x.test", refusal="no answer"), ""),
    ],
)
def test_a_clock_of_which_nothing_is_known_is_unknown(clock: Clock, decide: str) -> None:
    finding = findings(clock)["clock"]
    assert (finding.status, finding.verdict.decide) == (Status.UNKNOWN, decide)


def test_what_no_one_tells_is_unknown_and_what_is_not_there_is_skipped() -> None:
    assert findings(Disks(Folder("/cache", None)))["cache-space"].status is Status.UNKNOWN
    assert findings(Disks(Folder("/cache", CACHE_FREE)))["engine-space"].status is Status.SKIP


def test_clauses_of_the_machine_are_as_those_of_images_and_none_has_the_name_of_one() -> None:
    ids = [check.clause.id for check in CHECKS]
    assert len(set(ids)) == len(ids)
    assert not set(ids) & set(CLAUSES)
    for check in CHECKS:
        clause = check.clause
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", clause.id)
        assert clause.source.startswith("https://")
        assert clause.sentence.endswith(".")
        assert clause.remedy


def test_a_scene_that_was_not_seen_says_why() -> None:
    absent = Case({kind: scene for kind, scene in Case.of(*GOOD).scenes.items() if kind is not Caller})
    (finding,) = (
        finding
        for finding in judge(absent.without((Caller,), "not asked for: --online"), CHECKS)
        if finding.clause.id == "identity"
    )
    assert (finding.status, finding.verdict.reason) == (Status.SKIP, "not asked for: --online")
    assert replace(finding).level == "MUST"
