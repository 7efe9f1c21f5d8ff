"""The documents: every block runs, every link leads somewhere, the reference is what the sources say."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from argosy import errors
from argosy.cli.main import VERBS
from argosy.conformance.catalogue import CLAUSES
from argosy.contract import Variable
from argosy.errors import ArgosyError
from tests import pages

ROOT = Path(__file__).parent.parent
PAGES = [
    path.relative_to(ROOT).as_posix()
    for path in [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("examples/*/*.md"),
        ROOT / "scripts/README.md",
    ]
]
RUN = ["README.md", *(page for page in PAGES if page.startswith(("docs/tutorial/", "docs/how-to/")))]
RUN.remove("docs/how-to/foreign-image.md")  # tests/conformance/test_flask_by_hand.py does what it says
RUN.remove("docs/how-to/check-drills.md")  # tests/scenarios/test_drills.py plays them beside each other, and smaller


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the checkout, without what was made in it."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, listed):
        target = tmp_path / "argosy" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).exists():  # and is not about to be removed
            shutil.copy2(ROOT / name, target)
    return tmp_path / "argosy"


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN)
def test_every_block_runs_and_shows_what_the_page_shows(page: str, checkout: Path) -> None:
    done = list(pages.Reader(checkout).follow((checkout / page).read_text()))
    assert any(block.language in {"sh", "python"} for block in done)


def test_no_two_pages_take_the_same_port() -> None:
    """They are followed at the same time, by several readers or by the processes of `scripts/test`."""
    run = [*RUN, "examples/breast-cancer/demo.py", "examples/flask-by-hand/README.md"]
    ports = {page: set(re.findall(r"(?:--port |127\.0\.0\.1:)(\d+)", (ROOT / page).read_text())) for page in run}
    taken = [port for page in run for port in sorted(ports[page])]
    assert sorted(set(taken)) == sorted(taken), ports


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", (ROOT / page).read_text())
    local = [target for target in targets if not target.startswith(("https://", "http://"))]
    assert [target for target in local if not (ROOT / page).parent.joinpath(target).exists()] == []


def test_the_reference_is_what_the_sources_say() -> None:
    done = subprocess.run([sys.executable, ROOT / "docs/generate.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_everything_a_user_can_name_has_its_place_in_the_reference() -> None:
    reference = {path.name: path.read_text() for path in (ROOT / "docs/reference").glob("*.md")}
    assert [verb for verb in VERBS if f"`argosy {verb}`" not in reference["commands.md"]] == []
    assert [variable for variable in Variable if f"`{variable.value}`" not in reference["environment.md"]] == []
    assert [clause for clause in CLAUSES if f"`{clause}`" not in reference["contract.md"]] == []
    classes = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, ArgosyError)]
    codes = [cls("x").code for cls in classes if cls is not ArgosyError]
    assert [code for code in codes if f"`{code}`" not in reference["errors.md"]] == []


def test_the_first_example_stands_by_line_20_and_is_the_examples_own() -> None:
    first = pages.blocks((ROOT / "README.md").read_text())[0]
    assert first.line <= 20
    assert first.text.partition("\n")[2] == (ROOT / "examples/breast-cancer/predictor.py").read_text()


def test_a_page_that_lies_is_caught(tmp_path: Path) -> None:
    def follow(page: str) -> None:
        list(pages.Reader(tmp_path, timeout_s=20).follow(page))

    follow("```toml\n# a/b.toml\nx = '1 ms'\n```\n```sh\ncat a/b.toml\n```\n```text\nx = '7 ms'\n```\n")
    follow(
        "```sh\nbash -c 'echo up; sleep 60' &\n```\n```text\nup\n```\n```python\nprint('on')\n```\n```text\non\n```\n"
    )
    with pytest.raises(AssertionError, match="no line 'x = 2'"):
        follow("```sh\necho x = 1\n```\n```text\nx = 2\n```\n")
    with pytest.raises(AssertionError, match="exit code 3"):
        follow("```sh\nexit 3\n```\n")
