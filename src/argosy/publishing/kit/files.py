"""A kit as files: paths relative to its folder, and what they hold."""

import json
from collections.abc import Iterator
from typing import Any, Final

from argosy.publishing.kit import policies
from argosy.publishing.kit.client_module import client_module
from argosy.publishing.kit.contents import Case, Kit
from argosy.publishing.kit.notebook import notebook
from argosy.publishing.kit.readme import readme

REGIONS: Final = "regions.json"
_NOTE: Final = (
    "region -> ARN of the model package; filled by `argosy kit --arn REGION=ARN`, kept from one kit to the next"
)
_IGNORED: Final = (
    "# The seller's own policies name its account and bucket: they are for nobody else.\npolicies/seller/\n"
)


def files(kit: Kit) -> dict[str, bytes]:
    """Every file of the kit, sorted; the same for the same kit."""
    texts = {
        "README.md": readme(kit),
        "client.py": client_module(kit),
        f"{kit.name}.ipynb": _json(notebook(kit), indent=1),
        REGIONS: _json(regions(kit)),
        ".gitignore": _IGNORED,
        **{f"policies/{name}": _json(document) for name, document in policies.documents(kit).items()},
    }
    found = {name: text.encode() for name, text in texts.items()}
    for kind, cases in (("realtime", kit.observed.realtime), ("batch", kit.observed.batch)):
        found |= {f"samples/{kind}/{name}": content for name, content in _samples(cases)}
    return dict(sorted(found.items()))


def regions(kit: Kit) -> dict[str, Any]:
    """What `regions.json` says. Any: JSON."""
    return {
        "product": kit.name,
        "version": kit.table.version,
        "note": _NOTE,
        "model_package_arns": dict(sorted(kit.arns.items())),
    }


def _samples(cases: tuple[Case, ...]) -> Iterator[tuple[str, bytes]]:
    for case in cases:
        yield case.name, case.body
        if case.answer is not None:
            yield f"{case.name}.out", case.answer


def _json(value: object, indent: int = 2) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=False) + "\n"
