import os
import shlex
import time
from pathlib import Path

import pytest

from argosy.errors import NotScannedError
from argosy.image.materials.scanner import SEVERITIES, Scan, require_installed, scan
from tests.image.materials.scanners import (
    GRYPE_STATUS,
    TRIVY_VERSION,
    grype_report,
    saying,
    stand_in,
    trivy_answers,
    trivy_report,
)

LAYOUT = Path("/nowhere/image")


def look(folder: Path, timeout_s: float = 60) -> Scan:
    return scan(LAYOUT, {"PATH": str(folder)}, timeout_s)


def test_trivy_is_asked_as_documented_and_counted(tmp_path: Path) -> None:
    called = f'printf "%s " "$@" >> {shlex.quote(str(tmp_path / "called"))}; '
    answers = {
        name: called + answer for name, answer in trivy_answers(["CRITICAL", "LOW", "LOW", "UNKNOWN", "ODD"]).items()
    }
    found = look(stand_in(tmp_path / "bin", "trivy", answers))
    assert found.counts == dict.fromkeys(SEVERITIES, 0) | {"critical": 1, "low": 2, "unknown": 2}
    assert str(found) == "trivy 0.58.1, database of 2026-11-20T06:00:00Z: 1 critical, 2 low, 2 unknown"
    assert (found.at_least("critical"), found.at_least("low")) == (1, 3)
    said = (tmp_path / "called").read_text()
    assert f"--input {LAYOUT} " in said
    assert "--exit-code=0" in said


def test_grype_is_asked_where_trivy_is_not(tmp_path: Path) -> None:
    report = grype_report(["High", "Negligible"])
    found = look(stand_in(tmp_path, "grype", {f"oci-dir:{LAYOUT}": saying(report)}))
    assert (found.scanner, found.version, found.database) == ("grype", "0.104.0", "2026-11-20T04:00:00Z")
    assert found.at_least("high") == 1
    assert found.counts["negligible"] == 1


def test_grype_is_asked_where_trivy_failed(tmp_path: Path) -> None:
    stand_in(tmp_path, "trivy", {"image": "exit 1"})
    assert look(stand_in(tmp_path, "grype", {"oci-dir:*": saying(grype_report([]))})).scanner == "grype"


def test_the_older_form_of_grypes_database_is_known(tmp_path: Path) -> None:
    older = {
        "built": "2023-01-01T00:00:00Z",
        "schemaVersion": 5,
        "location": "/x",
        "checksum": "sha256:0",
        "error": None,
    }
    found = look(stand_in(tmp_path, "grype", {"oci-dir:*": saying(grype_report([], older))}))
    assert found.database == "2023-01-01T00:00:00Z"


TRIVY_FAULTS = {
    "no database and no network": (
        {"image": "echo 'FATAL Fatal error  run error: init error: DB error: failed to download' >&2; exit 1"},
        "DB error: failed to download",
    ),
    "silence": ({"image": "exit 1"}, "exit code 1: it said nothing"),
    "killed": ({"image": "kill -9 $$"}, "exit code -9"),
    "no report": ({"image": "true"}, "its report is not as documented"),
    "another report": ({"image": saying([{"Target": "x", "Vulnerabilities": None}])}, "not as documented"),
    "nothing recognized": ({"image": saying({"SchemaVersion": 2, "Results": None})}, "recognized no packages"),
    "secrets only": ({"image": saying(trivy_report([], kind="secret"))}, "recognized no packages"),
    "no database named": (
        {"image": saying(trivy_report([])), "version": saying({"Version": TRIVY_VERSION["Version"]})},
        "it has no vulnerability database",
    ),
    "no version": ({"image": saying(trivy_report([])), "version": "exit 2"}, "exit code 2"),
}
GRYPE_FAULTS = {
    "no database": ({"oci-dir:*": "echo 'failed to load vulnerability db' >&2; exit 1"}, "failed to load"),
    "none named": ({"oci-dir:*": saying(grype_report([], None))}, "no valid vulnerability database"),
    "an invalid one": (
        {"oci-dir:*": saying(grype_report([], {"status": {**GRYPE_STATUS, "valid": False}}))},
        "no valid vulnerability database",
    ),
    "an error": (
        {"oci-dir:*": saying(grype_report([], {"status": {**GRYPE_STATUS, "error": "too old"}}))},
        "no valid vulnerability database",
    ),
    "nothing recognized": (
        {"oci-dir:*": saying({**grype_report([]), "distro": {"name": ""}})},
        "recognized no packages",
    ),
}


@pytest.mark.parametrize(
    ("name", "fault"), [("trivy", fault) for fault in TRIVY_FAULTS] + [("grype", fault) for fault in GRYPE_FAULTS]
)
def test_what_came_to_no_result_has_not_scanned(tmp_path: Path, name: str, fault: str) -> None:
    answers, said = (TRIVY_FAULTS if name == "trivy" else GRYPE_FAULTS)[fault]
    with pytest.raises(NotScannedError) as raised:
        look(stand_in(tmp_path, name, answers))
    assert said in raised.value.message
    other = "grype" if name == "trivy" else "trivy"
    assert f"no `{other}` on the PATH" in raised.value.message


def test_a_program_that_cannot_be_started_has_not_scanned(tmp_path: Path) -> None:
    (tmp_path / "trivy").write_bytes(b"\x7fELF not really")
    (tmp_path / "trivy").chmod(0o755)
    with pytest.raises(NotScannedError, match="cannot be started"):
        look(tmp_path)


def test_one_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    child = tmp_path / "child"
    hanging = f"sleep 1000 & echo $! > {child}.aside; mv {child}.aside {child}; wait"
    with pytest.raises(NotScannedError, match=r"no result after 1 s"):
        look(stand_in(tmp_path / "bin", "trivy", {"image": hanging}), timeout_s=1)
    process = int(child.read_text())
    deadline = time.monotonic() + 10
    while is_running(process):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_nothing_installed_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(NotScannedError) as raised:
        look(tmp_path)
    assert "not scanned" in str(raised.value)
    assert "https://trivy.dev" in str(raised.value.hint)


def test_a_setting_that_ends_grype_early_is_not_passed_on(tmp_path: Path) -> None:
    answer = f'test -z "$GRYPE_FAIL_ON_SEVERITY" && {saying(grype_report(["High"]))}'
    folder = stand_in(tmp_path, "grype", {"oci-dir:*": answer})
    environ = {**os.environ, "PATH": str(folder), "GRYPE_FAIL_ON_SEVERITY": "low"}
    assert scan(LAYOUT, environ).at_least("high") == 1


def test_whether_there_is_a_scanner_is_told_before_an_image_is_laid_out_for_it(tmp_path: Path) -> None:
    with pytest.raises(NotScannedError) as caught:
        require_installed({"PATH": str(tmp_path)})
    assert caught.value.got == "no `trivy` on the PATH; no `grype` on the PATH"
    require_installed({"PATH": str(stand_in(tmp_path, "grype", {}))})
