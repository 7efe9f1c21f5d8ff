"""The page on what each flavor was measured to do, of the rows in docs/flavors.toml."""

import tomllib
from pathlib import Path

import msgspec

ROWS = Path(__file__).with_suffix(".toml")


class Flavor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was measured of `examples/NAME`.

    Attributes:
        name: The flavor.
        inputs: What `/openapi.json` says that the model takes.
        batch: Whether rows of two invocations shared a call: `joined` or `alone`.
        why: Why each invocation is alone.
        image_mb: The image's compressed layers together, in 10**6 bytes.
        endpoint: Media types in which an endpoint of the image was invoked through boto3.
        job_records: Records of the transform job that the image has run.
        same_bits: Whether the answer in npy or npz was the framework's own to the last bit.
        same_text: Text formats whose answers were the framework's own, number for number.
    """

    name: str
    inputs: str
    batch: str
    why: str = ""
    image_mb: int
    endpoint: tuple[str, ...]
    job_records: int
    same_bits: bool
    same_text: tuple[str, ...]


class Rows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file.

    Attributes:
        flavor: One for each.
    """

    flavor: tuple[Flavor, ...] = ()


def read() -> dict[str, Flavor]:
    """The rows by flavor."""
    return {row.name: row for row in msgspec.convert(tomllib.loads(ROWS.read_text()), Rows).flavor}


def page(note: str) -> str:
    """The page.

    Args:
        note: Its first line.
    """
    lines = [note, "# What each flavor was measured to do\n"]
    lines += [
        "`tests/flavors/test_table.py` measures every cell and fails where this page says something else. It serves "
        "`examples/NAME` with the framework, builds its image, invokes an endpoint of that image through boto3, runs a "
        "transform job with it, and calls the framework directly (`direct.py`) for the same rows.\n",
        "| flavor | loads | schema: inputs | batch: rows of two invocations | image built | image size "
        "| endpoint through boto3 | transform job | served = direct |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *map(_line, read().values()),
        "",
        "- *loads*: the server says 200 on `/ping`, with the model loaded and warmed up.",
        "- *schema*: what `/openapi.json` says. The example's rows fit it; what does not is answered with 400.",
        "- *image size*: the compressed layers together, as a registry stores them, in 10^6 bytes.",
        "- *served = direct*: the bits of npy or npz; a number of JSON or CSV, read back into the framework's own "
        "type, is that of the framework.",
    ]
    return "\n".join(lines) + "\n"


def _line(row: Flavor) -> str:
    batch = row.batch if not row.why else f"{row.batch}: {row.why}"
    endpoint = ", ".join(f"`{name}`" for name in row.endpoint)
    same = ", ".join((["every bit"] if row.same_bits else []) + [f"{name} text" for name in row.same_text])
    cells = (
        f"[`{row.name}`](../../examples/{row.name}/README.md)",
        "yes",
        row.inputs,
        batch,
        "yes",
        f"{row.image_mb} MB",
        endpoint,
        f"{row.job_records} records",
        same,
    )
    return f"| {' | '.join(cells)} |"
