"""Scans: an outcome that is said, one scan for each image, kept for the next time."""

from pathlib import Path

from argosy.local_aws.images.scans import COMPLETE, IN_PROGRESS, ScanOutcome, Scans


def test_a_scan_that_was_started_is_there_the_next_time(tmp_path: Path) -> None:
    before = Scans(tmp_path / "scans.json")
    before.expect("sha256:1", ScanOutcome(counts={"HIGH": 2}, looks=2))
    assert before.start("repository", "sha256:1")
    assert before.start("repository", "sha256:2")
    before.look("repository", "sha256:1")
    before.forget("repository", "sha256:2")

    after = Scans(tmp_path / "scans.json")
    assert not after.start("repository", "sha256:1")
    assert after.peek("repository", "sha256:1") == before.peek("repository", "sha256:1")
    assert after.look("repository", "sha256:2") is None
    looked = [after.look("repository", "sha256:1"), after.look("repository", "sha256:1")]
    assert [scan and scan.status for scan in looked] == [IN_PROGRESS, COMPLETE]
    assert after.start("another", "sha256:1")
    found = after.peek("another", "sha256:1")
    assert found is not None
    assert found.outcome.counts == {"HIGH": 2}


def test_without_a_file_nothing_is_kept() -> None:
    scans = Scans()
    assert scans.start("repository", "sha256:1")
    assert Scans().start("repository", "sha256:1")
