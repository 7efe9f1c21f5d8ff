from pathlib import Path

import msgspec

from argosy.marketplace.listing import Input, Sample, Usage
from argosy.marketplace.table import Marketplace
from argosy.publishing.description.text import WIDTH, to_document, to_text
from tests.publishing.description.described import description

GOLDEN = Path(__file__).parents[2] / "golden/description.txt"
TABLE = msgspec.convert(
    {"usage": {"input": {"limitations": "At most a thousand flowers, of which none may be larger than a metre."}}},
    Marketplace,
)


def test_the_text_is_the_golden_one() -> None:
    notes = ("the image serves no /openapi.json: what its parameters are, is not known; say it in [marketplace.usage]",)
    assert to_text(TABLE, description(notes=notes)) == GOLDEN.read_text()


def test_no_line_but_code_is_longer_than_a_terminal() -> None:
    text = "word " * 60 + "\n    " + "code" * 40 + "\n- " + "item " * 40
    usage = Usage(instructions=text, input=Input(batch_sample=Sample(text="x" * 5000)))
    lines = to_text(None, description(usage=usage)).splitlines()
    assert [line for line in lines if len(line) > WIDTH and "code" not in line] == []
    assert any(line.endswith("4,600 characters more") for line in lines)


def test_json_has_what_was_found_out_and_what_would_be_said() -> None:
    document = to_document(TABLE, description())
    assert document["description"]["digest"] == description().digest
    assert document["usage"]["input"]["limitations"] == TABLE.usage.input.limitations
    assert document["usage"]["instructions"] == "Call invoke_endpoint."
    assert document["listing"] == {"speed": "2 ms"}
