import pytest

from argosy.conformance.catalogue import CLAUSES
from argosy.conformance.check import Evidence, failed
from argosy.conformance.finding import Finding
from argosy.conformance.reporting.redaction import without_secrets


def shown(text: str) -> Evidence:
    finding = Finding(CLAUSES["ping"], "health", failed("x", Evidence(text, text, 0.1, ("before", text))))
    (seen,) = without_secrets(finding).verdict.evidence
    return seen


@pytest.mark.parametrize(
    ("text", "secret", "kind"),
    [
        ("export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AKIA", "an AWS access key"),
        ("+ HF_TOKEN=hf_abcdefgh serve", "hf_abc", "a value of `HF_TOKEN`"),
        ("500, text/plain, 40 bytes: cannot reach https://me:pass@index.test/", "pass@", "a URL with a password"),
        ("-----BEGIN PRIVATE KEY-----", "BEGIN", "a private key"),
    ],
)
def test_what_holds_a_secret_is_named_and_not_shown(text: str, secret: str, kind: str) -> None:
    seen = shown(text)
    assert secret not in str(seen)
    assert seen.log == ("before", f"(not shown: it holds {kind})")


@pytest.mark.parametrize("text", ["200, application/json, 17 bytes: [1.0]", "PASSWORD_MIN_LENGTH=8", "loaded in 2 s"])
def test_what_holds_none_is_shown_as_it_is(text: str) -> None:
    assert shown(text) == Evidence(text, text, 0.1, ("before", text))
