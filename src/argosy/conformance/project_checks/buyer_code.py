"""The code that buyers are given to copy: the instructions' and the notebook's."""

import ast
import re
import sys
from collections.abc import Iterator
from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, skipped
from argosy.conformance.clause import must, should
from argosy.conformance.project_checks.wording import SOLD
from argosy.conformance.scenes.project import BuyerCode, Notebook
from argosy.conformance.sources import EXAMPLES_ISSUES, ISOLATION_PAGE, MARKETPLACE_LISTING
from argosy.contract import INVOKE_ENDPOINT

_REGION: Final = re.compile(r"region(?:_name)?\s*=\s*[\"']([a-z]{2}(?:-[a-z]+)+-\d)[\"']")
_CREATE_MODEL: Final = re.compile(r"\bcreate_model\(|aws sagemaker create-model\b")
_ISOLATED: Final = re.compile(r"EnableNetworkIsolation[\"']?\s*[=:]\s*True|--enable-network-isolation")
_ENVIRONMENT: Final = re.compile(r"[\"']?\bEnvironment[\"']?\s*[=:]\s*(\{|dict\()")
_MAGIC: Final = re.compile(
    r"(?P<indent>\s*)(?:(?P<target>[\w.,\[\] ]+=\s*)?(?:!(?!=)|%[A-Za-z]|\?).*|[\w.]+\?{1,2}\s*)$"
)
"""A line of IPython's own: `!ls`, `%pip install x`, `files = !ls`, `boto3.client?`."""
_TIMING: Final = frozenset({"time", "timeit", "capture", "prun"})
"""Magics of a whole cell that is Python all the same."""
_INSTALL: Final = re.compile(r"^\s*[!%].*?\b(?:pip3?|conda|mamba|uv)\s+install\s((?:.*\\\n)*.*)$", re.MULTILINE)
_INVOKES: Final = re.compile(r"\.invoke_endpoint\(")
_WITH: Final = frozenset(
    {
        *("boto3", "botocore", "IPython", "matplotlib", "numpy", "pandas", "PIL", "requests"),
        *("sagemaker", "scipy", "sklearn", "tqdm"),
    }
)
"""What a SageMaker notebook has beside the standard library, of the libraries that samples use most."""


def _form(notebook: Notebook) -> Verdict:
    if notebook.fault:
        return failed(f"`{notebook.path}` {notebook.fault}")
    if not any(cell.strip() for cell in notebook.cells):
        return failed(f"`{notebook.path}` has no code")
    for number, cell in enumerate(notebook.cells, start=1):
        try:
            ast.parse(_python_of(cell))
        except (SyntaxError, ValueError) as error:
            return failed(f"code cell {number} is no Python: {error}", Evidence(notebook.path, cell[:200]))
    return passed(f"{len(notebook.cells)} code cells")


def _asks(notebook: Notebook) -> Verdict:
    trees = [_tree(_python_of(cell)) for cell in notebook.cells]
    own = {name for tree in trees for name in _defined(tree)}
    asking = {"getpass.getpass", *({"input"} - own)} | {
        alias.asname or alias.name
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "getpass"
        for alias in node.names
        if alias.name == "getpass"
    }
    for number, tree in enumerate(trees, start=1):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (called := ast.unparse(node.func)) in asking:
                return failed(
                    f"code cell {number} asks: `{called}(…)`", Evidence(notebook.path, ast.unparse(node)[:200])
                )
    return passed("no cell calls input() or getpass()")


def _regions(notebook: Notebook) -> Verdict:
    for number, cell in enumerate(notebook.cells, start=1):
        if found := _REGION.search(_python_of(cell)):
            return failed(f"code cell {number} names the region `{found.group(1)}`: `{found.group()}`")
    return passed("no cell names a region; that it runs in each, is not tried")


def _imports(notebook: Notebook) -> Verdict:
    installed = set(_INSTALL.findall("\n".join(notebook.cells)))
    for number, cell in enumerate(notebook.cells, start=1):
        for name in _imported(_python_of(cell)):
            if name in sys.stdlib_module_names or name in _WITH or any(name in line for line in installed):
                continue
            return failed(f"code cell {number} imports `{name}`, and no cell installs it")
    return passed("it imports what notebooks of SageMaker have, or a cell installs it")


def _environment(code: BuyerCode) -> Verdict:
    for place, text in code.pieces:
        if found := _ENVIRONMENT.search(text):
            return failed(f"`{place}` sets variables of the container", Evidence(place, _line(text, found)))
    return passed("no code sets variables of the container")


def _isolation(code: BuyerCode) -> Verdict:
    creating = [(place, text, found) for place, text in code.pieces if (found := _CREATE_MODEL.search(text))]
    for place, text, found in creating:
        if not _ISOLATED.search(text):
            return failed(f"`{place}` creates a model without network isolation", Evidence(place, _line(text, found)))
    return passed(f"{len(creating)} of {len(code.pieces)} texts create a model, with network isolation")


def _retries(code: BuyerCode) -> Verdict:
    invoking = [(place, text, found) for place, text in code.pieces if (found := _INVOKES.search(text))]
    if not invoking:
        return skipped("no code invokes an endpoint with boto3")
    for place, text, found in invoking:
        lacking = [name for name in ("read_timeout", "retries") if name not in text]
        if lacking:
            return failed(
                f"`{place}` invokes an endpoint with boto3's own {' and '.join(lacking)}",
                Evidence(place, _line(text, found)),
            )
    return passed("the client waits longer than an endpoint does, and repeats nothing")


def _imported(source: str) -> Iterator[str]:
    for node in ast.walk(_tree(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.partition(".")[0]


def _tree(source: str) -> ast.Module:
    """Its syntax tree, an empty one where it is no Python."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def _defined(tree: ast.Module) -> Iterator[str]:
    """The names that a cell gives a meaning of its own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg


def _python_of(cell: str) -> str:
    r"""A cell without what IPython alone understands; a cell of another language is none.

    >>> _python_of("files = !ls \\\n  -l\nprint(files)")
    'files = None\n\nprint(files)'
    """
    if _tree(cell).body:
        return cell
    if (found := re.match(r"\s*%%(\w+)[^\n]*", cell)) is not None:
        return _python_of(cell[found.end() :]) if found.group(1) in _TIMING else ""
    lines: list[str] = []
    continues = False
    for line in cell.splitlines():
        found = None if continues else _MAGIC.match(line)
        if continues:
            lines.append("")
        elif found is None:
            lines.append(line)
        else:
            lines.append(f"{found['indent']}{found['target']}None" if found["target"] else f"{found['indent']}pass")
        continues = (continues or found is not None) and line.rstrip().endswith("\\")
    return "\n".join(lines)


def _line(text: str, found: re.Match[str]) -> str:
    begin = text.rfind("\n", 0, found.start()) + 1
    return text[begin : text.find("\n", found.end()) if "\n" in text[found.end() :] else len(text)].strip()[:200]


_GROUP: Final[Group[Notebook]] = Group("notebook", Notebook)
_CODE: Final[Group[BuyerCode]] = Group("notebook", BuyerCode)

CHECKS: Final[tuple[Check[Notebook] | Check[BuyerCode], ...]] = (
    _GROUP.check(
        should(
            "notebook-form",
            f"{EXAMPLES_ISSUES}/1551",
            "The sample notebook in the project is a notebook, and its code is Python.",
            "open it in Jupyter, run all cells, and save it; name it in [marketplace.usage] as notebook",
            rows="D15 F30",
            only=SOLD,
        ),
        _form,
    ),
    _GROUP.check(
        must(
            "notebook-asks",
            MARKETPLACE_LISTING,
            "No cell of the notebook asks the buyer for anything.",
            "set values in a cell at the top, with defaults",
            rows="D15",
            only=SOLD,
        ),
        _asks,
        "notebook-form",
    ),
    _GROUP.check(
        should(
            "notebook-regions",
            MARKETPLACE_LISTING,
            "The notebook names no region, so that it can work in all.",
            "region = boto3.Session().region_name",
            rows="D15",
            only=SOLD,
        ),
        _regions,
        "notebook-form",
    ),
    _GROUP.check(
        should(
            "notebook-imports",
            f"{EXAMPLES_ISSUES}/1551",
            "What the notebook imports is there, or a cell installs it.",
            "%pip install NAME in the first cell",
            rows="F30",
            only=SOLD,
        ),
        _imports,
        "notebook-form",
    ),
    _CODE.check(
        should(
            "buyer-environment",
            ISOLATION_PAGE,
            "No code for buyers sets variables of the container: CreateModel refuses them for what is bought.",
            "take options from the request's body, Accept or CustomAttributes",
            rows="N11 F25",
            only=SOLD,
        ),
        _environment,
    ),
    _CODE.check(
        should(
            "buyer-isolation",
            ISOLATION_PAGE,
            "Code for buyers creates models with network isolation, which what is bought has to have.",
            "EnableNetworkIsolation=True",
            rows="F26",
            only=SOLD,
        ),
        _isolation,
    ),
    _CODE.check(
        should(
            "buyer-retries",
            INVOKE_ENDPOINT,
            "Code for buyers waits 70 seconds and repeats nothing: a repeated invocation is charged twice.",
            'boto3.client("sagemaker-runtime", config=Config(read_timeout=70, retries={"max_attempts": 0}))',
            rows="F31",
            only=SOLD,
        ),
        _retries,
    ),
)
