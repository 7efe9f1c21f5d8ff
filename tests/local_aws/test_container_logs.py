"""What containers write, as events: whole lines, each once, the rest at the end."""

from typing import Any

from argosy.local_aws.container_logs import ContainerLogs
from argosy.simulator.containers.container import Container, DelegatingContainer
from argosy.simulator.log_stream import LogStream

STREAM = LogStream("/group", "stream")


class Written(DelegatingContainer):
    """A container that has written a text; nothing else of it is asked for."""

    def __init__(self) -> None:
        self.text = ""

    def logs(self, last_bytes: int | None = None) -> str:
        return self.text


def followed() -> tuple[list[tuple[str, str, str]], ContainerLogs]:
    put: list[tuple[str, str, str]] = []

    def take(group: str, stream: str, events: list[dict[str, Any]]) -> None:
        put.extend((group, stream, event["message"]) for event in events)

    return put, ContainerLogs(take)


def test_lines_come_when_they_are_whole_and_the_rest_at_the_end() -> None:
    put, logs = followed()
    container: Container = (written := Written())
    end = logs.follow(container, STREAM)
    written.text = "first\nsec"
    logs.collect()
    logs.collect()
    assert put == [("/group", "stream", "first")]
    written.text += "ond\n\nno newline"
    logs.collect()
    assert [message for *_, message in put] == ["first", "second"]
    end()
    end()
    assert [message for *_, message in put] == ["first", "second", "no newline"]


def test_a_log_whose_begin_was_given_up_goes_on() -> None:
    put, logs = followed()
    written = Written()
    logs.follow(written, STREAM)
    written.text = "one\ntwo\nthree\n"
    logs.collect()
    written.text = "[cut]\nfour\n"
    logs.collect()
    assert [message for *_, message in put][-2:] == ["[cut]", "four"]


def test_a_flood_is_cut() -> None:
    put, logs = followed()
    written = Written()
    logs.follow(written, STREAM)
    written.text = "line\n" * 50_000
    logs.collect()
    assert put[0][2] == "[30000 lines are left out here]"
    assert len(put) == 20_001


def test_the_platform_writes_lines_of_its_own() -> None:
    put, logs = followed()
    logs.write(LogStream("/group", "job/data-log"), "a line")
    assert put == [("/group", "job/data-log", "a line")]
