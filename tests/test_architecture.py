"""The house as its architecture page says: import directions, doors, names, budgets, docstrings."""

import graphlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import architecture
from tests.architecture import Source

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/explanation/architecture.md").read_text()
UNITS, LIBRARIES, DOORS = architecture.tables(PAGE)
SOURCES = [
    Source(path.relative_to(ROOT / "src/argosy").as_posix(), path.read_text())
    for path in sorted((ROOT / "src/argosy").rglob("*.py"))
]
TESTS = [
    Source(path.relative_to(ROOT).as_posix(), path.read_text())
    for folder in ("tests", "benchmarks", "scripts", "examples")
    for path in sorted((ROOT / folder).rglob("*.py"))
]

RULES: dict[str, Callable[[Source], Iterator[str]]] = {
    "directions": lambda source: architecture.directions(source, UNITS),
    "libraries": lambda source: architecture.libraries(source, LIBRARIES),
    "late imports": lambda source: architecture.late_imports(source, DOORS["imports inside functions"]),
    "doors": lambda source: architecture.closed_doors(source, DOORS),
    "names": architecture.names,
    "sizes": architecture.sizes,
    "docstrings": architecture.undocumented,
    "silenced checkers": architecture.silenced,
}


@pytest.mark.parametrize("rule", RULES)
def test_the_sources_keep_the_rule(rule: str) -> None:
    assert [fault for source in SOURCES for fault in RULES[rule](source)] == []


def test_no_folder_is_crowded() -> None:
    assert list(architecture.crowded([source.path for source in SOURCES])) == []


def test_tests_and_scripts_silence_no_checker_without_a_reason() -> None:
    assert [fault for source in TESTS for fault in architecture.silenced(source)] == []


def test_the_import_table_has_no_cycle_and_runs_downhill() -> None:
    order = list(graphlib.TopologicalSorter(UNITS).static_order())
    assert set(order) == set(UNITS), "a row allows an import of a unit that has no row"
    assert [*order].index("errors") < order.index("project") < order.index("image") < order.index("registry")
    assert order.index("registry") < order.index("cli")


def test_the_modules_have_no_import_cycle() -> None:
    known = {source.module for source in SOURCES}
    graph = {
        source.module: {target for target in _modules(source, known) if target != source.module} for source in SOURCES
    }
    list(graphlib.TopologicalSorter(graph).static_order())


def test_every_row_and_door_of_the_page_exists() -> None:
    missing = [unit for unit in UNITS if unit not in {source.unit for source in SOURCES}]
    paths = [source.path for source in SOURCES]
    closed = [
        file
        for files in DOORS.values()
        for file in files
        if not any(path == file or path.startswith(file) for path in paths)
    ]
    assert missing == []
    assert closed == []


def test_every_file_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.py|(?:[a-z_]+/)+)`", PAGE))
    assert named
    assert [name for name in named if not (ROOT / "src/argosy" / name).exists() and not (ROOT / name).exists()] == []


def test_what_enters_the_image_sees_only_the_ground() -> None:
    assert UNITS["serving"] == {"errors", "contract", "media_type", "http_protocol"}


def test_the_judge_never_sees_the_judged() -> None:
    assert "serving" not in UNITS["simulator"] | UNITS["conformance"]


def _modules(source: Source, known: set[str]) -> set[str]:
    """The modules of the package that a file imports when it is imported."""
    found = set()
    for imported in source.imports:
        name = imported.target
        while name and name not in known:
            name = name.rpartition(".")[0]
        if name and not imported.inside_function:
            found.add(name)
    return found


PLANTED = {
    "directions": [
        ("simulator/hosting/endpoint.py", "from argosy.serving.predictor import Predictor"),
        ("simulator/hosting/endpoint.py", "def f():\n    import argosy.serving.main"),
        ("simulator/hosting/endpoint.py", "from argosy import serving"),
        ("simulator/hosting/endpoint.py", "from argosy import Predictor"),
        ("simulator/hosting/endpoint.py", "import importlib\nimportlib.import_module('argosy.cli.main')"),
        ("serving/routes.py", "from argosy.project import Project"),
        ("errors.py", "import argosy"),
        ("image/build.py", "from . import layer"),
        ("newcomer.py", "x = 1"),
    ],
    "libraries": [
        ("serving/front.py", "import click"),
        ("contract.py", "import msgspec"),
        ("cli/push.py", "def f():\n    import requests"),
    ],
    "late imports": [("image/layer.py", "def f():\n    import json")],
    "doors": [
        ("image/build.py", "import os\nos.environ['X']"),
        ("image/build.py", "from os import environ"),
        ("project.py", "import os\nos.getenv('X')"),
        ("image/layer.py", "import subprocess"),
        ("image/layer.py", "import os\nos.execvp('a', [])"),
        ("image/layer.py", "import asyncio\nasyncio.create_subprocess_exec('a')"),
        ("simulator/containers/process.py", "run(['docker', 'ps'])"),
        ("cli/build.py", "run(('podman', command))"),
        ("registry/client.py", "import botocore.session"),
    ],
    "names": [
        ("image/utils.py", ""),
        ("helpers/x.py", ""),
        ("image/base.py", ""),
        ("image/layer2.py", ""),
        ("image/layer.py", "class LayerManager: ..."),
        ("image/layer.py", "class BaseLayer: ..."),
        ("image/layer.py", "def get_info(): ..."),
        ("image/layer.py", "def build2(): ..."),
        ("image/layer.py", "class HTTPHandler: ..."),
    ],
    "sizes": [
        ("image/layer.py", "x = 1\n" * 401),
        ("image/a/b/c.py", ""),
        ("image/layer.py", "def f():\n" + "    x = 1\n" * 60),
        ("image/layer.py", "def f(a, b, /, c, *d, e, f, **g): ..."),
    ],
    "docstrings": [
        ("image/layer.py", "x = 1"),
        ("image/layer.py", '"""M."""\nclass Layer:\n    x = 1'),
        ("image/layer.py", '"""M."""\nclass Layer:\n    """L."""\n    def digest(self): ...'),
    ],
    "silenced checkers": [
        ("image/layer.py", "x = 1  # type: ignore"),
        ("image/layer.py", "x = 1  # type: ignore[misc]"),
        ("image/layer.py", "x = 1  # noqa"),
        ("image/layer.py", "x = 1  # noqa: E501"),
    ],
}

HARMLESS = {
    "directions": (
        "conformance/run.py",
        "import json\nfrom argosy import contract\nfrom argosy.simulator.hosting.endpoint import x",
    ),
    "libraries": ("serving/front.py", "import os.path\nimport uvicorn.config"),
    "late imports": ("cli/build.py", "def f():\n    import json"),
    "doors": ("cli/containers.py", "import os\nos.path\nKINDS = ('docker', 'podman', 'process')"),
    "names": (
        "image/base_image.py",
        "def sha256(): ...\nclass Database: ...\nclass BaseImage: ...\ndef unpack_model_data(): ...",
    ),
    "sizes": (
        "image/a/layer.py",
        'def f(self, a, b, c, d, e, *, g):\n    """\n' + "x\n" * 70 + '    """\n' + "    x = 1\n" * 50,
    ),
    "docstrings": ("image/layer.py", '"""M."""\nclass _Layer:\n    x = 1\ndef _f(): ...'),
    "silenced checkers": (
        "image/layer.py",
        "x = 1  # noqa: E501 - a URL\ny = 2  # type: ignore[misc]  # its stub is wrong",
    ),
}


@pytest.mark.parametrize(("rule", "path", "text"), [(rule, *planted) for rule in PLANTED for planted in PLANTED[rule]])
def test_a_planted_fault_is_found(rule: str, path: str, text: str) -> None:
    assert list(RULES[rule](Source(path, text))) != []


@pytest.mark.parametrize("rule", RULES)
def test_what_the_rule_allows_is_left_alone(rule: str) -> None:
    assert list(RULES[rule](Source(*HARMLESS[rule]))) == []


def test_a_planted_cycle_is_found() -> None:
    with pytest.raises(graphlib.CycleError):
        list(graphlib.TopologicalSorter(UNITS | {"errors": frozenset({"cli"})}).static_order())


def test_a_crowded_folder_is_found() -> None:
    assert list(architecture.crowded([f"image/layer_{letter}.py" for letter in "abcdefghijklmnop"])) != []
