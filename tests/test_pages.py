"""A page whose output is not as it says fails at once; only what may still come is waited for."""

from pathlib import Path

import pytest

from tests.pages import Reader

NEVER_S = 600.0
"""A deadline that no test here reaches."""
RUNS_ON = """
```sh
python -c "import time; print('{}', flush=True); time.sleep({}); print('end', flush=True); time.sleep(60)" &
```
"""


def follow(folder: Path, page: str, timeout_s: float = NEVER_S) -> int:
    """How many blocks were done."""
    folder = folder / "page"
    folder.mkdir()
    return len(list(Reader(folder, timeout_s).follow(page)))


def shown(*lines: str) -> str:
    return "\n".join(["", "```text", *lines, "```", ""])


def printed(*lines: str) -> str:
    return "\n".join(["", "```sh", *(f"echo '{line}'" for line in lines), "```", ""])


def test_what_a_script_prints_may_have_more_lines_and_longer_ones(tmp_path: Path) -> None:
    assert follow(tmp_path, printed("a 1.5 s", "b", "more", "c and so on") + shown("a 2.25 s", "b", "c")) == 2


@pytest.mark.parametrize("lines", [("a",), ("b", "a"), ()])
def test_a_script_that_has_ended_is_not_waited_for(tmp_path: Path, lines: tuple[str, ...]) -> None:
    """Not even while another one runs."""
    page = RUNS_ON.format("begin", 60) + printed("not this", *lines) + shown("a", "b")
    with pytest.raises(AssertionError, match=r"no line '[ab]' in:\nnot this\n"):
        follow(tmp_path, page)


def test_what_runs_on_is_waited_for(tmp_path: Path) -> None:
    assert follow(tmp_path, RUNS_ON.format("begin", 0.3) + shown("begin", "end")) == 2


def test_what_runs_on_fails_when_it_is_past_the_line(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="no line 'begun' in:\nbegin\nend"):
        follow(tmp_path, RUNS_ON.format("begin", 0.0) + shown("begun", "end"))


def test_what_runs_on_fails_at_the_deadline(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="no line 'other' in:\nbegin"):
        follow(tmp_path, RUNS_ON.format("begin", 0.0) + shown("begin", "other"), 2.0)


def test_what_ran_on_and_has_ended_is_not_waited_for(tmp_path: Path) -> None:
    page = '\n```sh\npython -c "print(1)" &\n```\n' + shown("2")
    with pytest.raises(AssertionError, match="no line '2' in:\n1"):
        follow(tmp_path, page)


def test_a_repeated_line_says_nothing_of_where_the_output_is(tmp_path: Path) -> None:
    page = RUNS_ON.format("end", 0.3) + shown("end", "end")
    assert follow(tmp_path, page) == 2
