"""What steps gave, on the disk."""

import json
import multiprocessing
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from argosy.errors import PlanError
from argosy.planning.journal import FOLDER, Journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / FOLDER / "publish.json"


def test_what_is_noted_is_there_for_the_next_run_beside_what_was(path: Path) -> None:
    Journal(path).note("package", {"arn": "a"})
    Journal(path).note("package", {"status": "Completed"})
    Journal(path).note("image", {"digest": "d"})
    assert Journal(path).outputs == {"package": {"arn": "a", "status": "Completed"}, "image": {"digest": "d"}}


def test_what_is_forgotten_is_gone(path: Path) -> None:
    journal = Journal(path)
    journal.note("package", {"arn": "a"})
    journal.note("image", {"digest": "d"})
    journal.forget(["package", "nothing"])
    assert Journal(path).outputs == {"image": {"digest": "d"}}


def test_nothing_is_made_by_reading(path: Path) -> None:
    assert Journal(path).outputs == {}
    assert not path.parent.exists()


def test_the_folder_is_its_owners_and_not_gits(path: Path) -> None:
    Journal(path).note("package", {"arn": "a"})
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert (path.parent / ".gitignore").read_text() == "*\n"
    assert sorted(found.name for found in path.parent.iterdir()) == [".gitignore", "publish.json"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[]", b'{"version": 1}', b'{"version": 2, "steps": {}}', b'{"version":1,"steps":[1]}'],
)
def test_a_file_that_cannot_be_read_is_said_to_be_not_needed(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(PlanError, match="is not needed") as caught:
        Journal(path)
    assert caught.value.hint == f"rm {path}"
    subprocess.run(caught.value.hint, shell=True, check=True)
    assert Journal(path).outputs == {}


def test_the_hint_can_be_pasted_where_the_folder_has_spaces(tmp_path: Path) -> None:
    path = tmp_path / "my model's folder" / "publish.json"
    path.parent.mkdir()
    path.write_text("{")
    with pytest.raises(PlanError) as caught:
        Journal(path)
    assert caught.value.hint is not None
    subprocess.run(caught.value.hint, shell=True, check=True)
    assert not path.exists()


def test_a_second_run_at_the_same_time_is_refused(path: Path) -> None:
    with Journal(path).held(), pytest.raises(PlanError, match="another run is under way"), Journal(path).held():
        pass
    with Journal(path).held():
        pass


def test_a_killed_process_holds_nothing(path: Path) -> None:
    program = (
        "import pathlib, sys, time\n"
        "from argosy.planning.journal import Journal\n"
        "with Journal(pathlib.Path(sys.argv[1])).held():\n"
        "    print('held', flush=True); time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(PlanError), Journal(path).held():
            pass
        process.kill()
    with Journal(path).held():
        pass


def test_what_another_run_noted_before_this_one_held_it_is_kept(path: Path) -> None:
    late = Journal(path)
    Journal(path).note("package", {"arn": "a"})
    with late.held():
        late.note("image", {"digest": "d"})
    assert Journal(path).outputs == {"package": {"arn": "a"}, "image": {"digest": "d"}}


def test_lanes_may_note_at_the_same_time(path: Path) -> None:
    journal = Journal(path)
    threads = [threading.Thread(target=journal.note, args=(str(number), {"id": str(number)})) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Journal(path).outputs == {str(number): {"id": str(number)} for number in range(20)}


def _note_with_a_full_disk(path: Path) -> None:
    """In a process of its own: files may have 4 KiB, which is what a full disk looks like (EFBIG for ENOSPC)."""
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    journal = Journal(path)
    try:
        journal.note("image", {"digest": "d" * 10_000})
    except OSError:
        os._exit(7)
    os._exit(0)


def test_a_full_disk_leaves_the_state_as_it_was_and_nothing_beside_it(path: Path) -> None:
    Journal(path).note("package", {"arn": "a"})
    process = multiprocessing.get_context("fork").Process(target=_note_with_a_full_disk, args=(path,))
    process.start()
    process.join()
    assert process.exitcode == 7
    assert json.loads(path.read_text())["steps"] == {"package": {"arn": "a"}}
    assert sorted(found.name for found in path.parent.iterdir()) == [".gitignore", "publish.json"]


def test_a_state_that_cannot_be_written_is_found_out_before_anything_is_done(path: Path) -> None:
    journal = Journal(path)
    path.mkdir(parents=True)  # nor can a file be moved there; a folder without permission would not stop root
    with pytest.raises(OSError, match="directory"), journal.held():
        pytest.fail("it was held")
