"""`argosy check` as a user types it, on projects and on images that never heard of Argosy."""

import datetime
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from argosy import engine
from argosy.cli import environment, main
from argosy.cli.checking.options import Options
from argosy.cli.checking.target import Target
from argosy.conformance.catalogue import CLAUSES
from argosy.conformance.profile import Profile
from argosy.project import load

SERVERS = Path(__file__).parents[1] / "projects" / "servers"
BASE_IMAGE = "python:3.11-slim"

CREDENTIALS_WRITTEN = "mkdir /root/.aws && echo [default] > /root/.aws/credentials"

PREDICTOR = """
from pathlib import Path
from argosy import Predictor

class Sums(Predictor):
    def load(self, model_dir: Path) -> None:
        self.bias = float((model_dir / "bias.txt").read_text())

    def predict(self, rows: list) -> list:
        if not isinstance(rows, list):
            raise TypeError("not rows")
        return [sum(map(float, row)) + self.bias for row in rows]
"""


def argosy_check(*arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "argosy", "check", *map(str, arguments)],
        capture_output=True, text=True, env={**os.environ, **environ}, timeout=240,
    )  # fmt: skip


def report_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.stdout.startswith("{"), done.stderr
    reports: list[dict[str, Any]] = json.loads(done.stdout)["reports"]
    (report,) = reports
    return report


def statuses(report: Mapping[str, Any]) -> dict[str, str]:
    return {finding["clause"]: finding["status"] for finding in report["findings"]}


def failures(report: Mapping[str, Any], level: str | None = None) -> set[str]:
    return {
        finding["clause"]
        for finding in report["findings"]
        if finding["status"] == "fail" and level in (None, finding["level"])
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "sums"
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "bias.txt").write_text("0")
    (folder / "predictor.py").write_text(PREDICTOR)
    (folder / "argosy.toml").write_text('[model]\npredictor = "predictor:Sums"\nartifacts = "model"\n')
    return folder


def test_a_project_is_run_as_it_is_and_its_image_clauses_are_left_out(project: Path) -> None:
    done = argosy_check(project, "--json")
    report = report_of(done)
    assert done.returncode == 0, done.stdout
    assert report["container"] == "process"
    assert report["conforming"] is True
    assert failures(report, "MUST") == set()
    found = statuses(report)
    assert {found[clause] for clause in found if clause.startswith("image-")} == {"skip"}
    assert found["start-healthy"] == found["invocations"] == found["stop-grace"] == "pass"
    assert found["start-offline"] == "unknown"


def test_the_text_is_on_stdout_and_the_talk_on_stderr(project: Path) -> None:
    done = argosy_check(project, "--strict")
    assert done.returncode == main.EXIT_EXAMINED_FAILED  # no MUST failed, but one is undecided
    assert done.stdout.startswith(str(project))
    # A process of this machine has its network: that clause stays open, and the last line does not hide it.
    assert "undecided without --container sandbox: start-offline" in done.stdout
    assert done.stdout[done.stdout.rindex("\n\n") :].startswith("\n\nundecided: no MUST failed, ")
    assert "check " in done.stderr
    assert "\x1b" not in done.stdout


def test_a_sample_is_what_the_image_is_tried_with(project: Path, tmp_path: Path) -> None:
    sample = tmp_path / "rows.csv"
    sample.write_text("1,2\n3,4\n")
    report = report_of(argosy_check(project, "--json", "--sample", sample, "--content-type", "text/csv"))
    (invocations,) = (finding for finding in report["findings"] if finding["clause"] == "invocations")
    assert invocations["status"] == "pass"
    assert "sample `rows.csv`" in invocations["evidence"][0]["sent"]
    assert invocations["evidence"][0]["received"].startswith("200")


def test_a_model_that_always_raises_does_not_conform(project: Path, tmp_path: Path) -> None:
    (project / "predictor.py").write_text(PREDICTOR.replace("return [sum", "raise RuntimeError\n        return [sum"))
    generic = report_of(argosy_check(project, "--json"))
    assert generic["verdict"] == "undecided"
    assert statuses(generic)["invocations"] == statuses(generic)["ping-busy"] == "unknown"
    sample = tmp_path / "rows.csv"
    sample.write_text("1,2\n")
    done = argosy_check(project, "--json", "--sample", sample, "--content-type", "text/csv")
    assert done.returncode == main.EXIT_EXAMINED_FAILED
    assert report_of(done)["verdict"] == "does not conform"
    assert failures(report_of(done), "MUST") == {"invocations"}


def test_a_project_that_cannot_load_fails_and_its_log_says_why(project: Path) -> None:
    (project / "model" / "bias.txt").write_text("not a number")
    done = argosy_check(project, "--json")
    report = report_of(done)
    assert done.returncode == main.EXIT_EXAMINED_FAILED
    assert failures(report) & {"start-port", "start-healthy"}
    assert "not a number" in json.dumps(report["findings"])


WAIVED = """
[[check.waivers]]
clause = "start-offline"
reason = "it is run as a process here"
until = 2999-03-01

[[check.waivers]]
clause = "start-read-only-model"
reason = "and reads its artifacts where they are"
until = 2999-03-01

[[check.waivers]]
clause = "start-shared-memory"
reason = "and has this machine's /dev/shm"
until = 2999-03-01

[[check.waivers]]
clause = "log-bodies"
reason = "its exceptions quote what they are given"
until = 2999-03-01

[[check.waivers]]
clause = "ping"
reason = "long ago"
until = 2020-01-01
"""


def test_waivers_reports_and_what_is_remembered(project: Path, tmp_path: Path) -> None:
    """One story: a strict check with waivers is written in two forms, and given again."""
    with (project / "argosy.toml").open("a") as file:
        file.write(WAIVED)
    cache = str(tmp_path / "cache")
    written, text = tmp_path / "report.json", tmp_path / "report.txt"
    common = (project, "--changed-only", "--strict")
    first = argosy_check(
        *common, "--report", f"json:{written}", "--report", f"text:{text}", ARGOSY_CACHE_DIR=cache
    )  # fmt: skip
    assert first.returncode == 0, first.stdout
    assert "start-offline          MUST, waived  a process of this machine" in first.stdout
    assert "note: the waiver of ping has expired on 2020-01-01" in first.stdout
    assert text.read_text() == first.stdout
    (report,) = json.loads(written.read_text())["reports"]
    assert report["verdict"] == "conforms"
    assert {f["clause"] for f in report["findings"] if f["waiver"]} == {
        *("start-offline", "start-read-only-model", "start-shared-memory", "log-bodies")
    }

    again = argosy_check(*common, "--json", ARGOSY_CACHE_DIR=cache)
    assert again.returncode == 0, again.stderr
    assert "nothing has changed since 2" in again.stderr
    given = report_of(again)
    assert datetime.datetime.fromisoformat(given["checked_at"]).tzinfo is not None
    assert (report["given_again"], given["given_again"]) == (False, True)
    assert {**given, "given_again": False} == report


def test_several_targets_have_a_report_each_and_one_that_is_not_there_hides_none(project: Path, tmp_path: Path) -> None:
    (project / "model" / "bias.txt").write_text("not a number")
    other = shutil.copytree(project, tmp_path / "other")
    done = argosy_check(project, f"oci:{tmp_path}/nothing", other, "--json")
    assert done.stdout.startswith("{"), done.stderr
    reports = json.loads(done.stdout)["reports"]
    assert [report["target"] for report in reports] == [str(project), f"oci:{tmp_path}/nothing", str(other)]
    assert [report["verdict"] for report in reports] == ["does not conform", "not examined", "does not conform"]
    assert reports[1]["failure"]
    assert f"error: oci:{tmp_path}/nothing: " in done.stderr
    assert done.returncode == main.EXIT_EXAMINED_FAILED


def test_a_single_image_that_is_not_there_has_its_report_too(tmp_path: Path) -> None:
    written = tmp_path / "report.xml"
    done = argosy_check(f"oci:{tmp_path}/nothing", "--report", f"junit:{written}")
    assert done.returncode != 0
    assert done.stdout == ""
    assert '<error message="' in written.read_text()


def test_a_project_that_is_sold_is_checked_for_the_marketplace(project: Path) -> None:
    with (project / "argosy.toml").open("a") as file:
        file.write('[marketplace]\nname = "sums"\n')
    target = Target(str(project), Options(), environment.read())
    assert target.terms.profile is Profile.MARKETPLACE
    asked = Options(profile=Profile.SERVERLESS)
    assert Target(str(project), asked, environment.read()).terms.profile is Profile.SERVERLESS
    of_project = Options(project=load(project))
    assert Target("oci:x", of_project, environment.read()).terms.profile is Profile.MARKETPLACE
    assert Target("oci:x", Options(), environment.read()).terms.profile is Profile.SAGEMAKER


@pytest.mark.parametrize("name", ["accept-connection", "C09"])
def test_a_clause_is_explained_without_a_target(name: str) -> None:
    done = argosy_check("--explain", name)
    assert done.returncode == 0, done.stderr
    assert "accept-connection\n  A connection must be accepted within 250 ms" in done.stdout
    assert "  why  " in done.stdout


def test_all_clauses_are_listed_and_an_unknown_one_names_the_nearest() -> None:
    assert "image-root" in argosy_check("--explain").stdout
    listed = json.loads(argosy_check("--explain", "--json").stdout)
    assert [entry["clause"] for entry in listed] == list(CLAUSES)
    done = argosy_check("--explain", "image-rot")
    assert done.returncode == main.EXIT_USAGE
    assert "hint: near it: `image-root`" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense:x"],
        ["oci:."],
        ["PROJECT", "--sample", "PROJECT/argosy.toml"],
        ["PROJECT", "--model-data", "PROJECT/missing.tar.gz"],
        ["PROJECT", "--profile", "nonsense"],
        ["PROJECT", "--instance-type", "ml.m5.tiny"],
        ["PROJECT", "--report", "pdf:report.pdf"],
        ["PROJECT", "--report", "json:PROJECT/missing/report.json"],
        ["PROJECT", "--waivers", "PROJECT/predictor.py"],
        ["oci:x", "--project", "PROJECT/model"],
        [],
    ],
)
def test_what_cannot_be_examined_is_said_in_a_sentence(project: Path, arguments: list[str]) -> None:
    done = argosy_check(*(argument.replace("PROJECT", str(project)) for argument in arguments))
    assert done.returncode in (main.EXIT_USAGE, main.EXIT_EXAMINED_FAILED)
    assert done.stdout == ""
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def test_a_missing_engine_is_the_surroundings_fault(tmp_path: Path) -> None:
    done = argosy_check("docker-daemon:any", "--container", "docker", PATH=str(tmp_path))
    assert done.returncode == main.EXIT_SURROUNDINGS
    assert "hint: " in done.stderr


# --- Real images, of a stranger's making.

Build = Callable[..., str]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Builds images of the foreign servers with `docker build`; they are removed afterwards."""
    docker = engine.find("docker", os.environ)
    names: list[str] = []

    def built(server: str, *lines: str) -> str:
        context = tmp_path / f"context-{len(names)}"
        shutil.copytree(SERVERS, context, ignore=shutil.ignore_patterns("__pycache__"))
        entry_point = f'ENTRYPOINT ["python3", "/opt/program/{server}.py"]'
        text = "\n".join([f"FROM {BASE_IMAGE}", "COPY *.py /opt/program/", entry_point, *lines, ""])
        (context / "Dockerfile").write_text(text)
        name = f"argosy-test-check-{os.getpid()}-{len(names)}"
        names.append(name)
        subprocess.run(["docker", "build", "--quiet", "--tag", name, str(context)], check=True, capture_output=True)
        return name

    yield built
    for name in names:
        docker.remove_image(name)


@pytest.mark.engine
def test_a_clean_foreign_image_conforms(build: Build) -> None:
    done = argosy_check(f"docker-daemon:{build('clean')}", "--json")
    report = report_of(done)
    assert done.returncode == 0, done.stdout
    assert failures(report) == set()
    assert report["container"] == "docker"
    # The daemon has no manifest before a push.
    assert {clause for clause, status in statuses(report).items() if status == "unknown"} == {"image-manifest"}


@pytest.mark.engine
@pytest.mark.parametrize(
    ("server", "line", "clause"),
    [
        ("clean", "USER 65534", "image-root"),
        ("wants_network", "", "start-offline"),
        ("writes_model", "", "start-read-only-model"),
        ("clean", "ENV HF_TOKEN=hf_not_a_real_one", "image-secrets"),
        ("clean", "ARG API_KEY=not-a-real-one\nRUN true", "image-secrets"),
        ("clean", f"RUN {CREDENTIALS_WRITTEN}\nRUN rm -r /root/.aws", "image-secrets"),
        ("missing_file", "", "start-healthy"),
        ("never_listens", "", "start-port"),
    ],
)
def test_a_defect_of_a_real_image_fails_exactly_its_own_clause(
    build: Build, server: str, line: str, clause: str
) -> None:
    done = argosy_check(f"docker-daemon:{build(server, line)}", "--json", "--startup-timeout", "10")
    assert failures(report_of(done)) == {clause}, done.stdout
    assert done.returncode == (0 if clause == "image-secrets" else main.EXIT_EXAMINED_FAILED)


@pytest.mark.engine
def test_an_image_that_cannot_be_started_is_reported_and_not_raised(build: Build) -> None:
    name = build("clean", "ENTRYPOINT []")
    done = argosy_check(f"docker-daemon:{name}", "--json")
    assert failures(report_of(done)) == {"image-serve"}, done.stdout  # and that no port is open comes of it
    assert done.returncode == main.EXIT_EXAMINED_FAILED


@pytest.mark.engine
def test_every_transport_gives_the_same_findings(build: Build, tmp_path: Path, registry: str) -> None:
    name = build("clean")
    archive = tmp_path / "image.tar"
    pushed = f"{registry}/{name}:latest"
    docker = engine.find("docker", os.environ)
    docker.save(name, archive)
    subprocess.run(["docker", "tag", name, pushed], check=True)
    subprocess.run(["docker", "push", "--quiet", pushed], check=True, capture_output=True)
    docker.remove_image(pushed)
    layout = f"oci:{tmp_path}/layout:latest"
    subprocess.run(["skopeo", "copy", "--quiet", f"docker-archive:{archive}", layout], check=True, capture_output=True)
    references = (f"docker-archive:{archive}", f"docker://{pushed}", layout)
    with ThreadPoolExecutor(3) as pool:  # they mostly wait
        reports = list(pool.map(lambda reference: report_of(argosy_check(reference, "--json")), references))
    found = dict(zip(references, map(statuses, reports), strict=True))
    manifests = {reference: status.pop("image-manifest") for reference, status in found.items()}
    # skopeo writes OCI manifests into a layout, which SageMaker refuses; Docker pushes its own.
    assert list(manifests.values()) == ["unknown", "pass", "fail"]
    # Only what a registry has has a name that others pull it by, and here it is a tag.
    assert [status.pop("image-digest") for status in found.values()] == ["skip", "fail", "skip"]
    first, *others = found.values()
    assert all(other == first for other in others)
    assert set(first.values()) == {"pass", "skip"}


@pytest.mark.engine
def test_artifacts_go_with_the_image_and_a_static_ping_is_proved(build: Build, tmp_path: Path) -> None:
    bias = tmp_path / "bias.txt"
    bias.write_text("0")
    model_data = tmp_path / "model.tar.gz"
    with tarfile.open(model_data, "w:gz") as archive:
        archive.add(bias, "bias.txt")
    name = build("static_ping")
    report = report_of(argosy_check(f"docker-daemon:{name}", "--model-data", model_data, "--json"))
    assert failures(report) == {"ping-honest"}
    assert statuses(report)["model-archive"] == "pass"


@pytest.mark.engine
def test_an_archive_that_does_not_unpack_is_found_before_anything_is_started(build: Build, tmp_path: Path) -> None:
    model_data = tmp_path / "model.tar.gz"
    with tarfile.open(model_data, "w:gz") as archive:
        link = tarfile.TarInfo("weights")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    done = argosy_check(f"docker-daemon:{build('clean')}", "--model-data", model_data, "--json")
    report = report_of(done)
    assert failures(report) == {"model-archive"}
    assert done.returncode == main.EXIT_EXAMINED_FAILED
    assert statuses(report)["start-port"] == "skip"
