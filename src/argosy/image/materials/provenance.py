"""What an image was made from and by what, as an in-toto statement with SLSA's provenance.

It is not signed: it says what the builder says, and proves nothing to who does not trust the builder.

Source: in-toto attestation framework, Statement v1; slsa.dev/spec/v1.0/provenance (read 2026-11-22).
"""

from collections.abc import Iterator
from typing import Any, Final

from argosy.image.download import shown
from argosy.image.materials.subject import NAME, TOOL_VERSION, Subject, bare_digest, python_url

BUILD_TYPE: Final = "urn:argosy:image-build:1"
BUILDER: Final = "urn:argosy:builder:unsigned"
"""Whoever ran `argosy build`, wherever: nobody vouches for it."""


def statement(subject: Subject) -> dict[str, Any]:
    """The statement as JSON object (hence `Any`); no time is in it, so that the same build says the same."""
    external = {"base": subject.base_name, "project": subject.sources}
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": NAME, "digest": _digest(subject.image.digest)}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {key: value for key, value in external.items() if value is not None},
                "internalParameters": {"signed": False, "platform": "linux/amd64"},
                "resolvedDependencies": [*_dependencies(subject)],
            },
            "runDetails": {"builder": {"id": BUILDER, "version": {"argosy": TOOL_VERSION}}},
        },
    }


def _dependencies(subject: Subject) -> Iterator[dict[str, Any]]:
    yield {"name": subject.base_name or "base image", "digest": _digest(subject.base_digest)}
    for name, digest in sorted(subject.sources.items()):
        yield {"name": name, "digest": _digest(digest)}
    for file in (*subject.inventory.program, *subject.inventory.artifacts):
        yield {"name": f"/{file.path}", "digest": _digest(file.digest)}
    for installed in subject.inventory.distributions:
        if installed.wheel is not None:
            yield {
                "name": installed.wheel.filename,
                "uri": python_url(installed.distribution),
                "digest": _digest(installed.wheel.digest),
                "downloadLocation": shown(installed.wheel.url),
            }


def _digest(digest: str) -> dict[str, str]:
    return {"sha256": bare_digest(digest)}
