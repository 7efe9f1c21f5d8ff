"""No secret of a container leaves in a report: what it logs and answers is looked through before anybody reads it."""

from dataclasses import replace

from argosy.conformance.check import Evidence
from argosy.conformance.finding import Finding
from argosy.image.materials import signs


def without_secrets(finding: Finding) -> Finding:
    """The finding, with each line of its evidence that holds a secret replaced by what kind it is."""
    verdict = finding.verdict
    evidence = tuple(_shown(seen) for seen in verdict.evidence)
    if evidence == verdict.evidence:
        return finding
    return replace(finding, verdict=replace(verdict, evidence=evidence))


def _shown(seen: Evidence) -> Evidence:
    return replace(seen, sent=_line(seen.sent), received=_line(seen.received), log=tuple(map(_line, seen.log)))


def _line(text: str) -> str:
    kind = signs.secret_in(text)
    if kind is None:
        name = next(signs.secret_assignments(text), None)
        kind = None if name is None else f"a value of `{name}`"
    return text if kind is None else f"(not shown: it holds {kind})"
