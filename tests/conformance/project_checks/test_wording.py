import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.conformance.check import Status
from argosy.conformance.project_checks.wording import is_on_github, named_faults, text_fault, thinness, url_fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "is not said"),
        (" \n", "is not said"),
        ("TODO", "is a placeholder"),
        ("tbd.", "is a placeholder"),
        ("xxxx", "is a placeholder"),
        ("- - -", "is a placeholder"),
        ("Lorem ipsum dolor sit amet", "is a placeholder"),
        ("Put your text here.", "is a placeholder"),
        ("Lorem ipsum.\n\nDolor sit amet.", "is a placeholder"),
        ("a bc " * 30, "has 149 characters, want at most 100"),
        ("Finds all cars.", None),
        ("Cuenta todo lo que se mueve.", None),
        ("它能计数汽车并返回每辆车的位置和类别。", None),
        ("車両を検出します。", None),
        ("No refunds.", None),
        ("Initial release", None),
        ("support@acme.io", None),
        ("Finds cars", None),
        ("Extracts TODO items from meeting notes", None),
        ("Upload your image here to have its cars counted.", None),
        ("Text", None),
        ("Fills in for lorem ipsum where designers need text.", None),
    ],
)
def test_what_is_wrong_with_a_text(text: str, fault: str | None) -> None:
    found = text_fault(text, 100)
    assert found == fault if fault is None else (found or "").startswith(fault)


@given(st.text(), st.integers(1, 50))
def test_a_text_that_does_is_said_and_short_enough(text: str, longest: int) -> None:
    if text_fault(text, longest) is None:
        assert 1 <= len(text.strip()) <= longest


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("None.", "says next to nothing"),
        ("Finds cars", "says next to nothing"),
        ("TODO: say what it does", "begins as a note"),
        ("", None),
        ("Finds all cars.", None),
        ("TODO items are extracted", None),
        ("車両を検出します。", None),
        ("นับรถยนต์", None),
    ],
)
def test_what_tells_next_to_nothing(text: str, fault: str | None) -> None:
    found = thinness(text)
    assert found == fault if fault is None else (found or "").startswith(fault)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "http://example.com/logo.png",
        "ftp://example.com",
        "https://",
        "https://localhost/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[/x",
        "https://me:secret@example.com/x",
        "https://logo.internal/x",
        "https://example.com/a b",
        "https://example.com/\n",
        f"https://example.com/{'x' * 2000}",
        "s3://bucket/logo.png",
    ],
)
def test_what_not_everybody_can_open(url: str) -> None:
    assert url_fault(url)


@pytest.mark.parametrize(
    "url", ["https://example.com", "https://bucket.s3.amazonaws.com/logo.png?v=1", "https://github.com/a/b#c"]
)
def test_what_may_be_opened(url: str) -> None:
    assert url_fault(url) is None


@given(st.text())
def test_any_text_is_judged_as_a_url(text: str) -> None:
    for url in (text, f"https://{text}"):
        fault = url_fault(url)
        assert fault is None or fault
        is_on_github(url)


@pytest.mark.parametrize(
    ("url", "is_there"),
    [
        ("https://github.com/a/b", True),
        ("https://raw.githubusercontent.com/a/b/main/x.json", True),
        ("https://github.com.example.com/a", False),
        ("https://notgithub.com/a", False),
        ("https://example.com/github.com", False),
        ("https://[", False),
    ],
)
def test_what_is_on_github(url: str, is_there: bool) -> None:
    assert is_on_github(url) is is_there


def test_all_faults_are_named() -> None:
    verdict = named_faults({"a": "is not said", "b": None, "c": "is empty"}, "well")
    assert (verdict.status, verdict.reason) == (Status.FAIL, "`a` is not said; `c` is empty")
    assert named_faults({"a": None}, "well").reason == "well"
