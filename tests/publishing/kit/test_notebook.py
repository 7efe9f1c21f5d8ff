"""The notebook at rest: Jupyter's format, and the clauses by which any seller's notebook is judged."""

import ast
import json

import nbformat
import pytest

from argosy.conformance.check import Status
from argosy.conformance.scenes.project import Notebook
from argosy.publishing.kit.contents import Kit
from argosy.publishing.kit.notebook import notebook
from tests.conformance.sellers import facts_of, judge_project
from tests.marketplace.offers import CLEAN
from tests.publishing.kit.kits import kit, whole_kits

CLAUSES = ("notebook-form", "notebook-asks", "notebook-regions", "notebook-imports", "buyer-environment")
MORE = ("buyer-isolation", "buyer-retries")


def code(of: Kit) -> tuple[str, ...]:
    return tuple("".join(cell["source"]) for cell in notebook(of)["cells"] if cell["cell_type"] == "code")


@pytest.mark.parametrize("name", whole_kits())
def test_it_is_a_notebook_that_no_clause_objects_to(name: str) -> None:
    made = notebook(whole_kits()[name])
    nbformat.validate(json.loads(json.dumps(made)), version=4, version_minor=5)
    findings = judge_project(facts_of(), notebook=Notebook("x.ipynb", code(whole_kits()[name])))
    assert {clause: findings[clause].status for clause in (*CLAUSES, *MORE)} == dict.fromkeys(
        (*CLAUSES, *MORE), Status.PASS
    )


def test_texts_of_a_seller_stay_texts() -> None:
    hostile = {
        **CLEAN,
        "listing": {**CLEAN["listing"], "title": "x\n# %%\nimport evil", "short_description": "y\n\n# %%\nevil()"},
        "usage": {**CLEAN["usage"], "repository_url": 'https://github.com/"\nevil()\n#'},
    }
    cells = code(kit(hostile))
    assert len(cells) == len(code(kit()))
    called = {
        ast.unparse(node.func) for cell in cells for node in ast.walk(ast.parse(cell)) if isinstance(node, ast.Call)
    }
    assert "evil" not in called
    assert not any("import evil" in cell for cell in cells)


def test_parts_that_a_product_does_not_have_are_left_out() -> None:
    assert not any("create_transform_job" in cell for cell in code(kit(batch=())))
    assert not any("response_stream" in cell for cell in code(kit()))
    assert any("response_stream" in cell for cell in code(kit(is_streaming=True)))
    gpu = {**CLEAN, "inference_ami_version": "al2-ami-sagemaker-inference-gpu-3-1"}
    assert any('"InferenceAmiVersion": "al2-ami-sagemaker-inference-gpu-3-1",' in cell for cell in code(kit(gpu)))


def test_the_same_kit_makes_the_same_notebook() -> None:
    assert notebook(kit()) == notebook(kit())
