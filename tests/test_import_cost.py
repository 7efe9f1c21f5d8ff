"""What an import brings along: the light ways stay light."""

import json
import subprocess
import sys

import pytest

HEAVY = {"numpy", "sklearn", "boto3", "httpx", "msgspec", "rich", "uvicorn", "click", "zlib_ng", "packaging", "asyncio"}
TOOLKIT = {"httpx", "msgspec", "rich", "zlib_ng", "packaging", "uv"}


def loaded(statements: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after some statements."""
    code = (
        f"{statements}\nimport json, sys\nprint(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    names: list[str] = json.loads(done.stdout.splitlines()[-1])
    return set(names)


def test_importing_the_package_is_light() -> None:
    assert loaded("import argosy") & HEAVY == set()


def test_help_needs_no_toolkit() -> None:
    arguments = "import sys; sys.argv = ['argosy', '--help']\nfrom argosy.cli.main import main\n"
    found = loaded(f"{arguments}try:\n    main()\nexcept SystemExit:\n    pass")
    assert found & (TOOLKIT | {"numpy", "uvicorn"}) == set()


def test_the_server_opens_its_port_before_it_imports_anything_heavy() -> None:
    assert loaded("import argosy.serving.main") & HEAVY == set()


@pytest.mark.parametrize("module", ["argosy.serving.front.server", "argosy.serving.model.template"])
def test_the_server_brings_neither_the_toolkit_nor_the_models_libraries(module: str) -> None:
    """The front has click, because uvicorn imports it; a model process has not even that."""
    found = loaded(f"import {module}")
    assert found & (TOOLKIT | {"numpy", "sklearn", "boto3"}) == set()
    assert ("click" in found) == ("uvicorn" in found) == module.endswith("server")
