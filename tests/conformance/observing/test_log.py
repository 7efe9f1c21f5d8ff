from hypothesis import given
from hypothesis import strategies as st

from argosy.conformance.observing.log import Unread
from argosy.errors import ContainerError
from argosy.simulator.containers.container import Container


class Written:
    """A container of which only the log is there; `text` is what it has kept."""

    def __init__(self) -> None:
        self.text = ""
        self.is_there = True

    def logs(self, last_bytes: int | None = None) -> str:
        if not self.is_there:
            raise ContainerError("the container is gone")
        return self.text


def unread(written: Written) -> Unread:
    container: Container = written  # type: ignore[assignment]  # nothing else of a container is asked
    return Unread(container)


def test_each_line_is_read_once_and_blank_ones_never() -> None:
    written = Written()
    log = unread(written)
    assert log.read() == ()
    written.text = "one\n\ntwo\n"
    assert log.read() == ("one", "two")
    assert log.read() == ()
    written.text += "\x1b[31mthree\n"
    assert log.read() == ("three",)


def test_a_log_that_lost_its_beginning_is_read_on_from_where_it_was() -> None:
    written = Written()
    log = unread(written)
    written.text = "".join(f"line {number}\n" for number in range(2000))
    log.read()
    written.text = "[the log is cut here]\n" + written.text[-5000:] + "new\n"
    assert log.read() == ("new",)


def test_a_log_that_lost_all_that_was_read_is_new() -> None:
    written = Written()
    log = unread(written)
    written.text = "old\n" * 2000
    log.read()
    written.text = "[the log is cut here]\nnew\n"
    assert log.read() == ("[the log is cut here]", "new")


def test_a_container_that_is_gone_has_nothing_new() -> None:
    written = Written()
    written.is_there = False
    assert unread(written).read() == ()


@given(st.integers(0, 2000), st.integers(0, 30), st.integers(0, 2000))
def test_whatever_is_dropped_before_nothing_new_is_missed(read: int, count: int, dropped: int) -> None:
    old = [f"line {number}\n" for number in range(read)]
    new = [f"new {number}\n" for number in range(count)]
    written = Written()
    log = unread(written)
    written.text = "".join(old)
    log.read()
    written.text = "".join((old + new)[min(dropped, len(old)) :])
    found = log.read()
    assert list(found[len(found) - len(new) :]) == [line.strip() for line in new]
