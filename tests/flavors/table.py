"""Measures the row of a flavor in docs/flavors.toml: everything that the page claims, on the example's own rows.

`python -m tests.flavors.table NAME...` measures and writes rows.
"""

import json
import re
import sys
import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
from botocore.exceptions import ClientError

from argosy.project_file import FLAVORS
from tests.flavors.answers import as_text, is_near, is_same, rows_of
from tests.flavors.environments import ROOT, example
from tests.flavors.images import Served, built, compressed_bytes, endpoint, forget, transformed
from tests.flavors.serving import Arrays, direct

NAMES: Final = tuple(sorted(FLAVORS))
NPY, NPZ, JSON, CSV, LINES = (
    "application/x-npy", "application/x-npz", "application/json", "text/csv", "application/jsonlines"
)  # fmt: skip
TYPES: Final = {".npy": NPY, ".json": JSON, ".csv": CSV, ".jsonl": LINES}
ROWS: Final = ROOT / "docs/flavors.toml"
_TOLERATED: Final = 0.1
_ATTEMPTS: Final = 5
"""How often two invocations are sent that may share a call: on a busy machine the second may come too late."""


@dataclass(frozen=True)
class Row:
    """A row, as docs/flavors.py says what its cells are."""

    name: str
    inputs: str
    batch: str
    image_mb: int
    endpoint: tuple[str, ...]
    job_records: int
    same_bits: bool
    same_text: tuple[str, ...]
    why: str = ""


def committed() -> dict[str, Row]:
    """The rows of docs/flavors.toml."""
    found = tomllib.loads(ROWS.read_text()).get("flavor", [])
    lists = ("endpoint", "same_text")
    return {each["name"]: Row(**{**each, **{name: tuple(each[name]) for name in lists}}) for each in found}


def measured(name: str, work: Path) -> Row:
    """The row of a flavor; fails where the flavor does not do what every row says.

    Args:
        name: The flavor.
        work: An empty folder.
    """
    folder = example(name)
    samples = sorted((folder / "samples").glob("rows.*"), key=lambda path: path.suffix != ".npy")
    framework = Framework(name, work)
    layout = built(folder, work)
    with endpoint(layout, ARGOSY_MAX_DELAY_MS="300") as served:
        inputs = described_inputs(served, folder / "samples/rows.json")
        batch = "joined" if rows_are_joined(served, samples[0]) else "alone"
        bits = has_same_bits(served, samples[0], framework)
        texts = tuple(name_of(sample) for sample in samples if has_same_text(served, sample, framework))
    row = Row(
        name=name,
        inputs=inputs,
        batch=batch,
        image_mb=round(compressed_bytes(layout) / 1e6),
        endpoint=tuple(TYPES[sample.suffix] for sample in samples),
        job_records=job_records(layout, folder, framework),
        same_bits=bits,
        same_text=texts,
    )
    forget(layout)
    return row


class Framework:
    """The framework, called directly.

    Args:
        name: The flavor.
        work: A folder for what it says.
    """

    def __init__(self, name: str, work: Path) -> None:
        self.work = work
        self._name = name
        self._said: dict[Path, Arrays] = {}

    def predict(self, body: Path) -> Arrays:
        """What it says of a file with rows; asked once."""
        if body not in self._said:
            output = self.work / f"direct-{body.stem}-{body.suffix[1:]}.npy"
            self._said[body] = direct(self._name, body, output)
        return self._said[body]

    def agrees(self, body: Path, is_right: Callable[[Arrays], bool]) -> bool:
        """Whether an answer is right for what it says of a file, or said of another one, which may hold the same."""
        return any(is_right(said) for said in self._said.values()) or is_right(self.predict(body))


def differences(row: Row, known: Row | None) -> list[str]:
    """The cells in which a row is not the committed one; the size of an image may differ by a tenth."""
    if known is None:
        return [f"docs/flavors.toml has no row for {row.name}"]
    found = []
    for cell in (field.name for field in fields(Row) if field.name != "why"):
        now, was = getattr(row, cell), getattr(known, cell)
        is_near_enough = cell == "image_mb" and abs(now - was) <= _TOLERATED * was
        if now != was and not is_near_enough:
            found.append(f"{cell}: measured {now!r}, docs/flavors.toml says {was!r}")
    return found


def gaps(row: Row) -> list[str]:
    """The cells that are not whole."""
    found = [] if row.same_bits else ["the answer as npy is not the framework's to the last bit"]
    found += [f"no answer as {name} that is the framework's" for name in ("JSON",) if name not in row.same_text]
    found += [f"a job of {row.job_records} records"] if row.job_records < 100 else []
    return found


def described_inputs(served: Served, sample: Path) -> str:
    """What the document says that the model takes; the sample fits it, what is nonsense does not and is refused."""
    document = json.loads(served.get("/openapi.json"))
    content = document["paths"]["/invocations"]["post"]["requestBody"]["content"]["application/json"]
    schema = {**content["schema"], "components": document.get("components", {})}
    jsonschema.validate(json.loads(sample.read_text()), schema)
    jsonschema.validate(content["example"], schema)
    nonsense = {"nonsense": 1}
    assert not jsonschema.Draft202012Validator(schema).is_valid(nonsense), "the schema takes anything"
    with pytest.raises(ClientError) as refused:
        served.invoke(json.dumps(nonsense).encode(), JSON, JSON)
    assert refused.value.response["OriginalStatusCode"] == 400
    return str(content["schema"].get("description") or _items(content["schema"]))


def rows_are_joined(served: Served, sample: Path) -> bool:
    """Whether two invocations at a time became one call, and then were answered as each alone."""

    def ask() -> object:
        return json.loads(served.invoke(sample.read_bytes(), TYPES[sample.suffix], JSON))

    alone = ask()
    for _ in range(_ATTEMPTS):
        before = _calls(served)
        with ThreadPoolExecutor(2) as pool:
            answers = [future.result() for future in [pool.submit(ask), pool.submit(ask)]]
        assert all(is_near(answer, alone) for answer in answers)
        if _calls(served) - before == 1:
            return True
    return False


def has_same_bits(served: Served, sample: Path, framework: "Framework") -> bool:
    """Whether the answer as npy, or as npz where there are several arrays, is the framework's own."""
    expected = framework.predict(sample)
    accept = NPZ if isinstance(expected, Mapping) else NPY
    return is_same(rows_of(served.invoke(sample.read_bytes(), TYPES[sample.suffix], accept), accept), expected)


def has_same_text(served: Served, sample: Path, framework: "Framework") -> bool:
    """Whether the answer in the format of a sample is the framework's own, read back into its types."""
    media_type = TYPES[sample.suffix]
    if media_type == NPY:
        return False
    answer = served.invoke(sample.read_bytes(), media_type, media_type)
    return framework.agrees(sample, lambda said: as_text(answer, media_type, said))


def name_of(sample: Path) -> str:
    """What people call a format."""
    return sample.suffix[1:].upper()


def job_records(layout: str, folder: Path, framework: "Framework") -> int:
    """How many records the transform job had; each result is what the framework says of that record."""
    (records,) = (folder / "samples").glob("job.*")
    media_type = TYPES[records.suffix]
    lines = records.read_text().splitlines()
    found = transformed(layout, records, media_type, framework.work / "job").splitlines()
    assert len(found) == len(lines), f"{len(lines)} records, {len(found)} results"
    body = records
    if media_type == LINES:
        body = framework.work / "job.json"
        body.write_text(json.dumps([json.loads(line) for line in lines]))
    text = "\n".join(found) if media_type == CSV else f"[{','.join(found)}]"
    said = framework.predict(body)
    assert as_text(text.encode(), CSV if media_type == CSV else JSON, said, is_near_enough=True), found[:3]
    return len(lines)


def write(rows: Sequence[Row]) -> None:
    """Put rows into docs/flavors.toml, in the place of those of the same flavors."""
    known = committed()
    known |= {row.name: replace(row, why=known[row.name].why if row.name in known else "") for row in rows}
    head = ROWS.read_text().partition("\n\n")[0]
    tables = ["\n".join(["[[flavor]]", *map(_line, vars(row).items())]) for _, row in sorted(known.items())]
    ROWS.write_text("\n\n".join([head.strip(), *tables]) + "\n")


def _line(cell: tuple[str, object]) -> str:
    return f"{cell[0]} = {json.dumps(cell[1], ensure_ascii=False)}"


def _items(schema: Mapping[str, Any]) -> str:
    """What a list takes whose items have no names of arrays: `string or TextRequest`."""
    (listed,) = [form for form in schema["anyOf"] if form.get("type") == "array"][:1]
    item = listed["items"]
    forms = item.get("anyOf", [item])
    return " or ".join(form.get("type") or form["$ref"].rpartition("/")[2] for form in forms)


def _calls(served: Served) -> int:
    """How often `predict` was called by now."""
    (count,) = re.findall(rb"argosy_batch_invocations_count(?:\{.*\})? (\d+)", served.get("/metrics"))
    return int(count)


def main() -> None:
    """Measure the flavors that the command line names, or all."""
    for name in sys.argv[1:] or NAMES:
        with tempfile.TemporaryDirectory() as work:
            row = measured(name, Path(work))
        write([row])
        sys.stderr.write(f"{row}\n{gaps(row) or 'whole'}\n")


if __name__ == "__main__":
    main()
