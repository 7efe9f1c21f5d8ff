"""Writes docs/reference from the sources: `scripts/docs`; `--check` says what is stale and writes nothing."""

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import conformance
import fidelity
import flavors
import msgspec

from argosy import contract, errors, project
from argosy.billing import bill, rates
from argosy.billing import document as billing_document
from argosy.cli import environment, main
from argosy.conformance import recording
from argosy.conformance.catalogue import CLAUSES
from argosy.conformance.reporting import document
from argosy.contract import Limit, PlatformVariable, Variable
from argosy.errors import ArgosyError
from argosy.planning import document as plan_document
from argosy.planning import step
from argosy.project_file import TABLES
from argosy.serving.answers import STATUS

FOLDER = Path(__file__).parent / "reference"
PACKAGE = Path(contract.__file__).parent
_ENTRIES = ("check.waivers", "model.options.inputs")  # arrays of tables, each entry with a heading of its own
_RENAMED = {"pass": "passed"}  # a word of Python's
_NOTE = "<!-- Written by scripts/docs from the sources: change those. -->\n"


def commands() -> str:
    """The help of every verb, as `--help` prints it at 100 columns."""
    lines = [_NOTE, "# Commands\n"]
    for path, command in _verbs(["argosy"], main.command):
        context = click.Context(command, info_name=" ".join(path), terminal_width=100, max_content_width=100)
        context.parent = None
        lines += [f"{'#' * min(len(path) + 1, 4)} `{' '.join(path)}`\n", f"```\n{command.get_help(context)}\n```\n"]
    return "\n".join(lines)


def _verbs(path: list[str], command: click.Command) -> Iterator[tuple[list[str], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path[-1])
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                yield from _verbs([*path, name], child)


def project_file() -> str:
    """The tables and fields of argosy.toml with type, default and meaning."""
    lines = [_NOTE, "# argosy.toml\n", "Its JSON schema is [argosy-toml.schema.json](argosy-toml.schema.json).\n"]
    for table, struct in TABLES.items():
        meanings = _attributes(struct)
        heading = f"[[{table}]]" if table in _ENTRIES else f"[{table}]"
        lines += [f"## `{heading}`\n", "| field | default | meaning |", "| --- | --- | --- |"]
        for field in msgspec.structs.fields(struct):
            required = field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT
            default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
            if isinstance(default, msgspec.Struct):
                continue  # a table of its own
            shown = "required" if required else f"`{_toml(default)}`" if default is not None else "—"
            lines.append(f"| `{field.encode_name}` | {shown} | {meanings[field.name]} |")
        lines.append("")
    return "\n".join(lines)


def _toml(value: Any) -> str:
    """A default as argosy.toml would spell it (any JSON-like value, hence `Any`)."""
    return msgspec.json.encode(value).decode().replace(",", ", ")


def _attributes(struct: type) -> dict[str, str]:
    """Field -> sentence, from the `Attributes:` of the class's docstring."""
    text = inspect.getdoc(struct) or ""
    block = textwrap.dedent(text.partition("Attributes:\n")[2])
    items = re.findall(r"^(\w+): (.*(?:\n +.*)*)", block, flags=re.MULTILINE)
    return {name: " ".join(sentence.split()) for name, sentence in items}


def schema() -> str:
    """The JSON schema of argosy.toml."""
    return msgspec.json.format(msgspec.json.encode(project.schema()), indent=2).decode() + "\n"


def report_schema() -> str:
    """The JSON schema of a report."""
    return _described(document.schema(), "The report of `argosy check`", document, recording)


def bill_schema() -> str:
    """The JSON schema of a bill."""
    return _described(billing_document.schema(), "The bill of `argosy bill`", billing_document, bill, rates)


def plan_schema() -> str:
    """The JSON schema of a plan."""
    return _described(plan_document.schema(), "What `--plan --json` prints", plan_document, step)


def _described(found: dict[str, Any], title: str, *modules: ModuleType) -> str:
    """A schema whose fields say what the docstrings of their classes, which are in these modules, say of them."""
    for name, definition in found["$defs"].items():
        definition["description"] = definition["description"].partition("\n")[0]
        if "properties" not in definition:
            continue
        kind = next(getattr(module, name) for module in modules if hasattr(module, name))
        meanings = _attributes(kind)
        for field, value in definition["properties"].items():
            meaning = {"description": meanings[_RENAMED.get(field, field)]}
            definition["properties"][field] = meaning | ({"allOf": [value]} if "$ref" in value else value)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    return msgspec.json.format(msgspec.json.encode(head | found), indent=2).decode() + "\n"


def variables() -> str:
    """The environment variables: the server's from the contract, the toolkit's from the one place that reads them."""
    lines = [_NOTE, "# Environment variables\n", "## In the image\n"]
    lines += [
        "`argosy build` sets them from argosy.toml; SageMaker or a buyer may override them.\n",
        *_members(Variable),
    ]
    lines += ["", "## Of the platform\n"]
    lines += ["SageMaker or its SDK sets them. One whose value is not understood is told to the log and left out.\n"]
    lines += _members(PlatformVariable)
    lines += ["", "## On the seller's machine\n", f"{inspect.getdoc(environment.read)}\n"]
    return "\n".join(lines)


def _members(variables: type[StrEnum]) -> list[str]:
    """A table of an enumeration's values, each with the string below it in the class's source."""
    body = ast.parse(inspect.getsource(variables)).body[0]
    assert isinstance(body, ast.ClassDef)
    pairs = zip(body.body, body.body[1:], strict=False)
    meanings = {
        node.targets[0].id: " ".join(below.value.value.split())
        for node, below in pairs
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
    }
    rows = [f"| `{variable.value}` | {meanings[variable.name]} |" for variable in variables]
    return ["| variable | meaning |", "| --- | --- |", *rows]


def demands() -> str:
    """The limits and clauses with their sources."""
    lines = [_NOTE, "# What SageMaker asks of a container\n", "## Clauses\n"]
    lines += ["`argosy check` gives one finding for each.\n"]
    for clause in CLAUSES.values():
        lines += [f"### `{clause.id}`\n", f"{clause.level.value}: {clause.sentence}\n"]
        lines += [f"- Remedy: {clause.remedy}", f"- Source: <{clause.source}> (read {clause.read})\n"]
    lines += ["## Limits\n", "| limit | value | meaning | source |", "| --- | --- | --- | --- |"]
    for limit in (value for value in vars(contract).values() if isinstance(value, Limit)):
        source = f"[read {limit.read}]({limit.source})"
        lines.append(f"| `{limit.id}` | {limit.value:,g} {limit.unit} | {limit.sentence} | {source} |")
    return "\n".join(lines) + "\n"


def error_codes() -> str:
    """Every error's code, meaning, HTTP status where the server answers with it, and exit code."""
    lines = [_NOTE, "# Errors\n", "The code is the `code` of the server's answers and of reports.\n"]
    lines += ["| code | class | meaning | HTTP | exit code |", "| --- | --- | --- | --- | --- |"]
    for cls in vars(errors).values():
        if inspect.isclass(cls) and issubclass(cls, ArgosyError) and cls is not ArgosyError:
            status = STATUS.get(cls, "")
            sentence = (inspect.getdoc(cls) or "").partition("\n")[0]
            exits = "" if issubclass(cls, errors.InvocationError) else main.exit_code(cls("x"))
            lines.append(f"| `{cls('x').code}` | `{cls.__name__}` | {sentence} | {status} | {exits} |")
    return "\n".join(lines) + "\n"


def files() -> str:
    """Every file of the package with the first sentence of its docstring."""
    lines = [_NOTE, "# Files\n", "The way through them is told in [the house](../explanation/architecture.md).\n"]
    sources = sorted(PACKAGE.rglob("*.py"), key=lambda path: (len(path.relative_to(PACKAGE).parts) > 1, path))
    for path in (path for path in sources if path.name not in {"__init__.py", "__main__.py"}):
        lines.append(f"- `{path.relative_to(PACKAGE)}`: {_first_line(path)}")
    folders = [path for path in sources if path.name == "__init__.py" and path.parent != PACKAGE]
    lines += ["", "## Folders\n"]
    lines += [f"- `{path.parent.relative_to(PACKAGE)}/`: {_first_line(path)}" for path in folders]
    return "\n".join(lines) + "\n"


def _first_line(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands,
    "argosy-toml.md": project_file,
    "argosy-toml.schema.json": schema,
    "check-report.schema.json": report_schema,
    "plan.schema.json": plan_schema,
    "bill.schema.json": bill_schema,
    "environment.md": variables,
    "conformance.md": lambda: conformance.page(_NOTE),
    "contract.md": demands,
    "errors.md": error_codes,
    "fidelity.md": lambda: fidelity.page(_NOTE),
    "files.md": files,
    "flavors.md": lambda: flavors.page(_NOTE),
}


def stale() -> dict[str, str]:
    """The pages whose text on disk is not what the sources say, with what they should say."""
    texts = {name: page() for name, page in PAGES.items()}
    return {
        name: text
        for name, text in texts.items()
        if not (FOLDER / name).is_file() or (FOLDER / name).read_text() != text
    }


def generate(check: bool) -> int:
    """Write what is stale, or only say so; 1 when something is stale and was left so."""
    pages = stale()
    for name, text in pages.items():
        sys.stderr.write(f"docs/reference/{name} {'is stale' if check else 'written'}\n")
        if not check:
            FOLDER.mkdir(exist_ok=True)
            (FOLDER / name).write_text(text)
    if check and pages:
        sys.stderr.write("\nhint: scripts/docs\n")
    return int(bool(check and pages))


if __name__ == "__main__":
    sys.exit(generate(check="--check" in sys.argv[1:]))
