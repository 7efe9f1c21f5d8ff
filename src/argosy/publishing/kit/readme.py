"""The page of a kit: how to subscribe, deploy, call and clean up, and what that costs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from argosy.marketplace.listing import OutputParameter, Parameter
from argosy.publishing.kit.contents import Kit
from argosy.publishing.kit.template import filled, in_code
from argosy.publishing.kit.wording import costs, subscription, summary

_TEMPLATE: Final = Path(__file__).with_name("readme.template")
_NO_REGION: Final = "| none yet | |"


def readme(kit: Kit) -> str:
    """The page, as Markdown."""
    rows = [f"| {region} | `{arn}` |" for region, arn in sorted(kit.arns.items())]
    cases = [f"| `realtime/{case.name}` | `{case.content_type}` | `{case.accept}` |" for case in kit.observed.realtime]
    cases += [f"| `batch/{case.name}` | `{case.content_type}` | `{case.accept}` |" for case in kit.observed.batch]
    region = min(kit.arns, default="us-east-1")
    ami = kit.table.inference_ami_version
    first = kit.observed.realtime[0]
    values = {
        "TITLE_TEXT": _text(kit.title),
        "SUMMARY": _text(summary(kit)),
        "COSTS": _text(costs(kit)),
        "SUBSCRIPTION": _text(subscription(kit)),
        "NAME": kit.name,
        "CLASS": kit.class_name,
        "VERSION": _text(kit.table.version),
        "REGIONS": "\n".join(rows) or _NO_REGION,
        "SAMPLES": "\n".join(cases),
        "ARN": kit.arns.get(region, f"arn:aws:sagemaker:{region}:ACCOUNT:model-package/{kit.package}"),
        "REGION": region,
        "TYPE": str(kit.realtime_type),
        "AMI": "" if ami is None else f",InferenceAmiVersion={ami}",
        "FILE": first.name,
        "CONTENT_TYPE": in_code(first.content_type),
        "ACCEPT": in_code(first.accept),
        "STREAM": "\n`model.stream(...)` gives the answer part by part.\n" if kit.observed.is_streaming else "",
        "INPUT": _side("What it takes", kit.table.usage.input.description, kit.table.usage.input.parameters),
        "OUTPUT": _side("What it gives", kit.table.usage.output.description, kit.table.usage.output.parameters),
        "SUPPORT": _text(kit.table.listing.support) or "See the product's page on AWS Marketplace.",
    }
    return filled(_TEMPLATE.read_text(encoding="utf-8"), values)


def _side(heading: str, description: str, parameters: Sequence[Parameter | OutputParameter]) -> str:
    """A section about the input or the output; none where nothing is said of it."""
    if not description.strip() and not parameters:
        return ""
    rows = [f"| `{_cell(one.name)}` | {_cell(one.description)} | {_cell(one.constraints)} |" for one in parameters]
    table = "\n".join(["| name | meaning | what it may be |", "| --- | --- | --- |", *rows]) if rows else ""
    told = description.strip().replace("@@", "@ @")
    return "\n\n".join(part for part in (f"## {heading}", told, table) if part) + "\n\n"


def _cell(text: str) -> str:
    """A text in a cell of a table."""
    return _text(text).replace("|", "\\|")


def _text(text: str) -> str:
    return " ".join(text.split()).replace("@@", "@ @")
