"""The rules of the house, as functions from sources to faults; `test_architecture.py` applies them to the real tree."""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 6
MAX_DEPTH = 2
MAX_FILES = 15

BANNED = frozenset({"util", "helper", "common", "misc", "core", "manager", "handler", "processor", "data", "info"})
API_WORDS = ("capture", "processing", "source", "type")
"""AWS's API: `DataCaptureConfig`, `DataProcessing`, `DataSource`, `S3DataType`."""
FIELD_TERMS = ("base_image", "model_data", "print_data", "data_received", *(f"data_{word}" for word in API_WORDS))
"""Names that hold a banned word and are right: terms of the field, `data on stdout`, and a method of asyncio."""
NUMBERED = re.compile(r"sha\d+|base64|utf8|ipv[46]|(u?int|float)\d+|http\d|s3")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Import:
    """One imported module, absolute, and where it stands."""

    target: str
    line: int
    inside_function: bool


@dataclass(frozen=True)
class Source:
    """One file of the package: its path under `src/argosy` and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def unit(self) -> str:
        """The row of the import table that this file belongs to."""
        return PurePosixPath(self.path).parts[0].removesuffix(".py")

    @property
    def module(self) -> str:
        """The dotted name."""
        parts = ["argosy", *PurePosixPath(self.path).with_suffix("").parts]
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def imports(self) -> list[Import]:
        """Every import statement, and every `import_module` of a literal name; relative ones as `.`."""
        found: list[Import] = []
        for node, inside in _walk(self.tree, False):
            if isinstance(node, ast.Import):
                found += [Import(alias.name, node.lineno, inside) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = "." * node.level + (node.module or "")
                found += [
                    Import(f"{base}.{alias.name}" if base == "argosy" else base, node.lineno, inside)
                    for alias in node.names
                ]
            elif isinstance(node, ast.Call) and _called(node) in {"import_module", "__import__"}:
                literal = [name.value for name in node.args[:1] if isinstance(name, ast.Constant)]
                found += [Import(name, node.lineno, True) for name in literal if isinstance(name, str)]
        return found


def _walk(node: ast.AST, inside: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        yield child, inside
        yield from _walk(child, inside or isinstance(child, Function | ast.Lambda))


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def directions(source: Source, allowed: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """Imports of the package's own units that the table does not allow."""
    if source.unit not in allowed:
        yield f"{source.path}: `{source.unit}` has no row in the import table"
        return
    for found in source.imports:
        if found.target.startswith("."):
            yield f"{source.path}:{found.line}: a relative import"
        parts = found.target.split(".")
        if parts[0] != "argosy":
            continue
        unit = parts[1] if len(parts) > 1 else "__init__"
        unit = unit if unit in allowed else "__init__"
        if unit != source.unit and unit not in allowed[source.unit]:
            yield f"{source.path}:{found.line}: `{source.unit}` imports `{unit}`"


def libraries(source: Source, allowed: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """Imports of other people's libraries that the table does not name for this unit."""
    for found in source.imports:
        name = found.target.partition(".")[0]
        if name and name != "argosy" and name not in sys.stdlib_module_names | allowed.get(source.unit, frozenset()):
            yield f"{source.path}:{found.line}: `{source.unit}` imports the library `{name}`"


def late_imports(source: Source, doors: frozenset[str]) -> Iterator[str]:
    """Imports inside functions outside the places that may have them."""
    if not opens(source.path, doors):
        for found in source.imports:
            if found.inside_function:
                yield f"{source.path}:{found.line}: imports `{found.target}` inside a function"


def closed_doors(source: Source, doors: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """Uses of the environment, of other programs, of container engines and of AWS outside their one place."""
    for door, line in _doors_used(source):
        if not opens(source.path, doors[door]):
            yield f"{source.path}:{line}: opens the door `{door}`"


def opens(path: str, doors: frozenset[str]) -> bool:
    """Whether a file is among the files and folders (`cli/`) that may open a door."""
    return any(path == door or (door.endswith("/") and path.startswith(door)) for door in doors)


def _doors_used(source: Source) -> Iterator[tuple[str, int]]:
    for found in source.imports:
        name = found.target.partition(".")[0]
        if name in {"boto3", "botocore"}:
            yield "AWS", found.line
        if name == "subprocess":
            yield "other programs", found.line
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
            if node.attr in {"environ", "environb", "getenv", "putenv", "unsetenv"}:
                yield "the environment", node.lineno
            if node.attr in {"system", "popen"} or node.attr.startswith(("exec", "spawn", "posix_spawn")):
                yield "other programs", node.lineno
        if isinstance(node, ast.Attribute) and node.attr.startswith("create_subprocess"):
            yield "other programs", node.lineno
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            taken = {alias.name for alias in node.names} & {"environ", "environb", "getenv"}
            yield from (("the environment", node.lineno) for _ in taken)
        if isinstance(node, ast.List | ast.Tuple) and _is_engine_command(node):
            yield "a container engine", node.lineno


def _is_engine_command(node: ast.List | ast.Tuple) -> bool:
    """Whether this is an argument list that starts an engine; a mere list of names, as for a choice, is none."""
    words = [getattr(element, "value", None) for element in node.elts]
    return words[:1] in (["docker"], ["podman"]) and not all(word in {"docker", "podman", "process"} for word in words)


def names(source: Source) -> Iterator[str]:
    """File, class and function names that tell nothing or carry a number."""
    for part in PurePosixPath(source.path).with_suffix("").parts:
        yield from (f"{source.path}: {fault}" for fault in _name_faults(part))
    for node in ast.walk(source.tree):
        if isinstance(node, Function | ast.ClassDef):
            yield from (f"{source.path}:{node.lineno}: {fault}" for fault in _name_faults(node.name))


def _name_faults(name: str) -> Iterator[str]:
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]
    plain = name.lower().strip("_")
    if plain in {"base", "bases"} or (words[:1] == ["base"] and words[1:] != ["image"] and name[0].isupper()):
        yield f"`{name}` holds the banned word `base`"
    plainest = name.lower().replace("_", "")
    if not any(term.replace("_", "") in plainest for term in FIELD_TERMS):
        for word in words:
            if word in BANNED or word.removesuffix("s") in BANNED:
                yield f"`{name}` holds the banned word `{word}`"
    if name[-1].isdigit() and not NUMBERED.search(plain):
        yield f"`{name}` ends in a number"


def sizes(source: Source) -> Iterator[str]:
    """Files, functions, parameter lists and folders beyond the budget."""
    lines = source.text.count("\n")
    if lines > MAX_FILE_LINES:
        yield f"{source.path}: {lines} lines, want at most {MAX_FILE_LINES}"
    if len(PurePosixPath(source.path).parts) - 1 > MAX_DEPTH:
        yield f"{source.path}: more than {MAX_DEPTH} folders deep"
    for node in ast.walk(source.tree):
        if not isinstance(node, Function):
            continue
        length = _length(node)
        if length > MAX_FUNCTION_LINES:
            yield f"{source.path}:{node.lineno}: `{node.name}` has {length} lines, want at most {MAX_FUNCTION_LINES}"
        count = len(_parameters(node))
        if count > MAX_PARAMETERS:
            yield f"{source.path}:{node.lineno}: `{node.name}` has {count} parameters, want at most {MAX_PARAMETERS}"


def _length(node: Function) -> int:
    """Lines from `def` to the end, the docstring apart."""
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node, clean=False) is None:
        return length
    first = node.body[0]
    return length - ((first.end_lineno or first.lineno) - first.lineno + 1)


def _parameters(node: Function) -> list[str]:
    listed = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
    starred = [argument for argument in (node.args.vararg, node.args.kwarg) if argument]
    return [argument.arg for argument in listed + starred if argument.arg not in {"self", "cls"}]


def crowded(paths: list[str]) -> Iterator[str]:
    """Folders with more files than a reader can take in."""
    for folder in sorted({str(PurePosixPath(path).parent) for path in paths}):
        count = sum(str(PurePosixPath(path).parent) == folder for path in paths)
        if count > MAX_FILES:
            yield f"{folder}: {count} files, want at most {MAX_FILES}"


def undocumented(source: Source) -> Iterator[str]:
    """Public modules, classes and functions without a docstring."""
    if ast.get_docstring(source.tree) is None and source.text.strip():
        yield f"{source.path}: the module has no docstring"
    yield from _undocumented(source.path, source.tree)


def _undocumented(path: str, parent: ast.Module | ast.ClassDef) -> Iterator[str]:
    for node in parent.body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
            continue
        overrides = any(
            ast.unparse(d).rpartition(".")[2] in {"override", "overload", "setter"} for d in node.decorator_list
        )
        if ast.get_docstring(node) is None and not overrides:
            yield f"{path}:{node.lineno}: `{node.name}` has no docstring"
        if isinstance(node, ast.ClassDef):
            yield from _undocumented(path, node)


def silenced(source: Source) -> Iterator[str]:
    """`type: ignore` and `noqa` comments that do not name a code and a reason."""
    tokens = tokenize.generate_tokens(io.StringIO(source.text).readline)
    for token in (token for token in tokens if token.type == tokenize.COMMENT):
        silences = re.search(r"#\s*(type:\s*ignore|noqa)", token.string)
        reason = re.search(r"#\s*(type:\s*ignore\[[\w, -]+\]\s+#|noqa:\s*[A-Z0-9, ]+?\s+[-#])\s+\w+", token.string)
        if silences and not reason:
            yield f"{source.path}:{token.start[0]}: a checker is silenced without a reason: `{token.string}`"


def tables(page: str) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """The tables of the architecture page: unit -> units, unit -> libraries, door -> files."""
    units: dict[str, frozenset[str]] = {}
    allowed_libraries: dict[str, frozenset[str]] = {}
    doors: dict[str, frozenset[str]] = {}
    heading: list[str] = []
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            heading = []
        elif not heading:
            heading = cells
        elif not set(line) <= set("|- "):
            listed = [frozenset(re.findall(r"`([^`]+)`", cell)) for cell in cells]
            if heading[0] == "unit":
                (unit,) = listed[0]
                units[unit], allowed_libraries[unit] = listed[1], listed[2]
            elif heading[0] == "door":
                doors[cells[0].partition(" (")[0]] = listed[1]
    return units, allowed_libraries, doors
