from xml.etree import ElementTree

from argosy.conformance.reporting.junit import to_junit
from argosy.conformance.reporting.wording import plain
from tests.conformance.reporting.reports import CONFORMING, HOSTILE, NASTY, NOT_EXAMINED, REPORT, UNDECIDED, WAIVED


def test_an_image_is_a_suite_and_a_clause_is_a_case() -> None:
    root = ElementTree.fromstring(to_junit([REPORT, UNDECIDED]))
    assert root.tag == "testsuites"
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "12",
        "failures": "1",
        "errors": "0",
        "skipped": "9",
    }
    first, second = root.findall("testsuite")
    assert (first.get("name"), first.get("tests"), first.get("time")) == (REPORT.target, "5", "12.345")
    assert second.get("name") == "x"
    properties = {each.get("name"): each.get("value") for each in first.iterfind("properties/property")}
    expected = {"digest": REPORT.digest, "container": "docker", "profile": "", "verdict": "does not conform"}
    made = {"checked_at": REPORT.checked_at, "given_again": "false", "version": "1.2.3"}
    assert properties == {**expected, **made}
    assert first.get("timestamp") == REPORT.checked_at
    assert second.get("timestamp") is None


def test_an_image_that_could_not_be_examined_is_an_error() -> None:
    root = ElementTree.fromstring(to_junit([NOT_EXAMINED, CONFORMING]))
    assert (root.get("errors"), root.get("failures"), root.get("tests")) == ("1", "0", "2")
    (error,) = root.iterfind(".//error")
    assert (error.get("message"), error.get("type")) == (NOT_EXAMINED.failure, "not examined")


def test_only_a_must_that_failed_breaks_a_build() -> None:
    (suite,) = ElementTree.fromstring(to_junit([REPORT]))
    outcome = {case.get("name"): [child.tag for child in case] for case in suite.iterfind("testcase")}
    assert outcome == {
        "image-root": [],
        "image-init": ["skipped", "system-out"],
        "model-archive": ["skipped", "system-out"],
        "error-client": ["skipped", "system-out"],
        "stop-grace": ["failure"],
    }
    skipped = [case.get("message") for case in suite.iterfind("testcase/skipped")]
    assert skipped[1:] == [
        "MUST not tried: no --model-data was given",
        "SHOULD does not hold: not with 4xx: malformed JSON 500",
    ]


def test_what_is_waived_breaks_no_build_and_says_so() -> None:
    root = ElementTree.fromstring(to_junit([WAIVED]))
    assert root.get("failures") == "0"
    (told,) = (case.get("message") for case in root.iterfind(".//testcase[@name='stop-grace']/skipped"))
    assert told == (
        "MUST does not hold, waived until 2027-03-01: the next release has it: it ignores SIGTERM and had to be killed"
    )


def test_a_failure_says_what_was_seen_and_what_to_do() -> None:
    root = ElementTree.fromstring(to_junit([REPORT]))
    failure = root.find(".//failure")
    assert failure is not None and failure.text is not None
    assert failure.get("message") == "it ignores SIGTERM and had to be killed"
    assert failure.get("type") == "MUST"
    lines = failure.text.splitlines()
    assert "sent: SIGTERM" in lines
    assert "back: still runs after 30 s (30 s)" in lines
    assert "log: the last line of the log" in lines
    assert any(line.startswith("do: let the server be the first process") for line in lines)


def test_two_images_are_told_apart_by_the_classes_of_their_cases() -> None:
    root = ElementTree.fromstring(to_junit([REPORT, CONFORMING]))
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(set(names)) == len(names)
    assert names[0] == ("docker-daemon:my-inference-image.image", "image-root")


def test_hostile_text_is_text() -> None:
    root = ElementTree.fromstring(to_junit([HOSTILE]))
    assert {each.tag for each in root.iter()} == {
        *("testsuites", "testsuite", "properties", "property"),
        *("testcase", "skipped", "failure", "system-out"),
    }
    (suite,) = root
    assert suite.get("name") == plain(NASTY)
    assert root.findall(".//failure")[0].get("message") == plain(NASTY)
