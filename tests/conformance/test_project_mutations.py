"""Each project has one thing wrong and fails exactly the clause that names it; a clean one fails none."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from argosy.conformance.catalogue import CHECKS, CLAUSES
from argosy.conformance.check import Status
from argosy.conformance.observing.project import SCENES
from argosy.conformance.profile import Profile
from argosy.conformance.scenes.project import ApiModel, Folder, Metered, NamedFile, Notebook, ProjectFacts
from argosy.contract import Level
from argosy.project_file import Serving
from tests.conformance.sellers import (
    API,
    CELLS,
    SAMPLE,
    facts_of,
    judge_project,
    with_value,
)
from tests.conformance.servers import failed_clauses
from tests.marketplace.offers import CLEAN, INSTRUCTIONS, ROLE, changed

GB = 10**9
PER_INFERENCE: Mapping[str, Any] = {
    **CLEAN["pricing"],
    "model": "per-inference",
    "per_inference": "0.001",
    "realtime": {},
}


def with_samples(*files: NamedFile, fault: str = "", **fields: Any) -> ProjectFacts:
    return facts_of(samples=Folder("validation", files, fault), **fields)


def by_inference(**pricing: Any) -> ProjectFacts:
    return with_value("pricing", {**PER_INFERENCE, **pricing})


def changed_facts(**usage: Any) -> ProjectFacts:
    """The clean project with other fields of `[marketplace.usage]`."""
    return with_value("usage", {**CLEAN["usage"], **usage})


def file_of(content: bytes, path: str = "validation/one.json") -> NamedFile:
    return NamedFile(path, len(content), content)


def with_types(*realtime: str, batch: tuple[str, ...] = ("ml.m5.large", "ml.m5.xlarge")) -> ProjectFacts:
    """The package for other instance types, each with its price."""
    instances = {"realtime": realtime, "batch": batch}
    prices = {
        **CLEAN["pricing"],
        "realtime": dict.fromkeys(realtime, "0.50"),
        "batch": dict.fromkeys(batch, "0.50"),
    }
    return facts_of({**CLEAN, "instances": instances, "pricing": prices})


DEFECTS: Mapping[str, tuple[ProjectFacts, str]] = {
    "no name": (with_value("name", ...), "package-name"),
    "a name with a dot": (with_value("name", "vehicle.detector"), "package-name"),
    "a long name": (with_value("name", "v" * 58), "package-name"),
    "a long description": (with_value("description", "word " * 205), "package-description"),
    "a description of two lines": (with_value("description", "Finds\nvehicles."), "package-description"),
    "many variables": (with_value("environment", {f"A{n}": "1" for n in range(17)}), "package-environment"),
    "a long variable": (with_value("environment", {"A": "x" * 1025}), "package-environment"),
    "a variable without a name": (with_value("environment", {"1A": "x"}), "package-environment"),
    "a content type that is none": (with_value("content_types", ["json"]), "package-media-types"),
    "a content type that is not served": (
        facts_of(serving=Serving(content_types=("text/csv",))),
        "package-media-types",
    ),
    "a response type that the API does not take": (
        with_value("response_types", ["x+y/json"]),
        "package-media-types",
    ),
    "too large": (facts_of(has_archive=True, artifacts_bytes=29 * GB, image_bytes=2 * GB), "package-volume"),
    "a built-in algorithm": (
        facts_of(base="811284229777.dkr.ecr.us-east-1.amazonaws.com/blazingtext:1"),
        "package-own-model",
    ),
    "a late deadline": (facts_of(serving=Serving(deadline_s=61)), "serving-deadlines"),
    "a late stream": (facts_of(serving=Serving(stream_deadline_s=500)), "serving-deadlines"),
    "what only the API's model sees": (
        facts_of(api=replace(API, violations=("Value 'x' at 'y' failed to satisfy constraint: z",))),
        "package-request",
    ),
    "no types for endpoints": (with_value("instances/realtime", []), "instance-types"),
    "a type twice": (with_types("ml.m5.large", "ml.m5.large"), "instance-types"),
    "a type that is none": (with_types("ml.m5.large", "ml.m5.huge"), "instance-types"),
    "a type that no job has": (
        with_types("ml.m5.large", "ml.c5.xlarge", batch=("ml.m5.large", "ml.c7g.large")),
        "instance-types",
    ),
    "Graviton": (with_types("ml.m5.large", "ml.c7g.large"), "instance-amd64"),
    "an unsupported recommendation": (
        with_value("instances/recommended_realtime", "ml.m5.xlarge"),
        "instance-recommended",
    ),
    "artifacts above the memory": (facts_of(artifacts_bytes=12 * GB), "instance-artifacts"),
    "one type": (with_types("ml.m5.large"), "instance-choice"),
    "a GPU without a driver": (with_types("ml.g5.xlarge", "ml.m5.large"), "instance-gpu-ami"),
    "no validation role": (with_value("validation/role", ...), "validation-role"),
    "a role by its name": (
        with_value("validation/role", "AmazonSageMaker-ExecutionRole-20250101T000000"),
        "validation-role",
    ),
    "no samples": (facts_of(samples=None), "validation-samples"),
    "no folder of samples": (with_samples(fault="is not there"), "validation-samples"),
    "an empty folder": (with_samples(), "validation-samples"),
    "an empty sample": (with_samples(file_of(b"")), "validation-samples"),
    "samples of another type": (with_value("validation/content_type", "text/csv"), "validation-types"),
    "results of another type": (with_value("validation/accept", "text/csv"), "validation-types"),
    "a job on another type": (with_value("validation/instance_type", "ml.c5.xlarge"), "validation-instance"),
    "a large payload": (with_value("validation/max_payload_mb", 101), "validation-payload"),
    "many large payloads": (
        facts_of(changed("validation", {**CLEAN["validation"], "max_payload_mb": 6, "max_concurrent_transforms": 17})),
        "validation-payload",
    ),
    "a sample above the payload": (
        with_samples(NamedFile("validation/one.json", 7 * 2**20, b"{")),
        "validation-payload",
    ),
    "a sample that is no JSON": (with_samples(file_of(b"{")), "validation-readable"),
    "a sample that is no UTF-8": (with_samples(file_of(b"\xff")), "validation-readable"),
    "a bad line": (
        facts_of(
            {
                **CLEAN,
                "content_types": ["application/jsonlines"],
                "response_types": ["application/jsonlines"],
            },
            samples=Folder("validation", (file_of(b'{"a": 1}\n{"a": \n'),)),
        ),
        "validation-readable",
    ),
    "a key in a sample": (with_samples(file_of(b'{"id": "AKIAIOSFODNN7EXAMPLE"}')), "validation-public"),
    "an environment file": (with_samples(file_of(b"{}", "validation/.aws/credentials")), "validation-public"),
    "a sample without a result": (facts_of(expected=Folder("expected")), "validation-expected"),
    "a result without a sample": (
        facts_of(
            expected=Folder(
                "expected", (file_of(b"1", "expected/one.json.out"), file_of(b"1", "expected/two.json.out"))
            )
        ),
        "validation-expected",
    ),
    "a sample for no endpoint": (
        facts_of(
            changed("validation/max_payload_mb", 100),
            samples=Folder("validation", (NamedFile("validation/one.json", 30 * 2**20, b"{"),)),
        ),
        "validation-endpoint",
    ),
    "a region to opt into": (with_value("region", "af-south-1"), "region-default"),
    "an offer in a region to opt into": (with_value("regions", ["us-east-1", "me-south-1"]), "region-default"),
    "a short account": (with_value("account/id", "123"), "account-one"),
    "a buyer that is none": (with_value("buyer_accounts", ["me"]), "account-one"),
    "many buyers": (with_value("buyer_accounts", [f"{n:012}" for n in range(101)]), "account-one"),
    "roles of two accounts": (with_value("validation/role", ROLE.replace("123456789012", "9" * 12)), "account-one"),
    "no repository": (with_value("account/repository", ""), "repository"),
    "a repository in capitals": (with_value("account/repository", "Vehicles"), "repository"),
    "a public registry": (with_value("account/repository", "public.ecr.aws/x/vehicles"), "repository"),
    "a repository of another account": (
        with_value("account/repository", "210987654321.dkr.ecr.us-east-1.amazonaws.com/vehicles"),
        "repository",
    ),
    "a repository in another region": (
        with_value("account/repository", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/vehicles"),
        "repository",
    ),
    "a long reference": (facts_of(image=f"{'x' * 200}@sha256:{'0' * 64}"), "image-reference"),
    "an image by tag": (facts_of(image="vehicles:1"), "image-reference"),
    "no bucket": (with_value("account/bucket", ""), "bucket-name"),
    "a bucket in capitals": (with_value("account/bucket", "Releases"), "bucket-name"),
    "no access role": (with_value("account/access_role", None), "access-role"),
    "an access role by its name": (with_value("account/access_role", "marketplace"), "access-role"),
    "an access role in a folder": (
        with_value("account/access_role", "arn:aws:iam::123456789012:role/service-role/marketplace"),
        "access-role",
    ),
    "a pricing model that is none": (with_value("pricing/model", "monthly"), "pricing-model"),
    "a split that is none": (with_value("validation/split_type", "Lines"), "validation-options"),
    "a strategy that is none": (with_value("validation/batch_strategy", "multi"), "validation-options"),
    "an assembly that is none": (with_value("validation/assemble_with", "Comma"), "validation-options"),
    "no pricing model": (with_value("pricing/model", None), "pricing-model"),
    "a type without a price": (with_value("pricing/batch", {"ml.m5.large": "0.50"}), "pricing-complete"),
    "no price per inference": (by_inference(per_inference=None), "pricing-complete"),
    "no price of jobs": (by_inference(batch={}), "pricing-complete"),
    "a price of a type that is not supported": (
        with_value("pricing/batch", {**CLEAN["pricing"]["batch"], "ml.g5.xlarge": "1"}),
        "pricing-stray",
    ),
    "a price per inference by the hour": (with_value("pricing/per_inference", "0.01"), "pricing-stray"),
    "a price for what is free": (
        with_value("pricing", {**CLEAN["pricing"], "model": "free", "free_trial_days": None}),
        "pricing-stray",
    ),
    "a price in words": (
        with_value("pricing/batch", {**CLEAN["pricing"]["batch"], "ml.m5.large": "$0.50"}),
        "pricing-amounts",
    ),
    "a price of nine decimals": (by_inference(per_inference=0.000000001), "pricing-amounts"),
    "a negative price": (by_inference(per_inference=-1), "pricing-amounts"),
    "nothing per inference": (by_inference(per_inference="0.00"), "pricing-amounts"),
    "another dimension is counted": (
        facts_of(changed("pricing", PER_INFERENCE), metered=(Metered("predictor.py:9", "tokens"),)),
        "pricing-metering",
    ),
    "a key that counts nothing": (by_inference(inference_key="inference.count"), "pricing-dimension"),
    "a short trial": (with_value("pricing/free_trial_days", 4), "free-trial"),
    "a long trial": (with_value("pricing/free_trial_days", 32), "free-trial"),
    "a trial of what is free": (
        with_value("pricing", {**CLEAN["pricing"], "model": "free", "realtime": {}, "batch": {}}),
        "free-trial",
    ),
    "a trial that is shorter than advised": (with_value("pricing/free_trial_days", 7), "free-trial-length"),
    "no trial": (with_value("pricing/free_trial_days", None), "free-trial-length"),
    "no refund policy": (with_value("pricing/refund_policy", ""), "refund-policy"),
    "a long refund policy": (with_value("pricing/refund_policy", "no refund is given " * 30), "refund-policy"),
    "a license that is none": (with_value("pricing/eula", "MIT"), "eula"),
    "a license without https": (with_value("pricing/eula", "http://example.com/eula.html"), "eula"),
    "no title": (with_value("listing/title", ""), "listing-title"),
    "a long title": (with_value("listing/title", "vehicles " * 9), "listing-title"),
    "no short description": (with_value("listing/short_description", "TODO"), "listing-summary"),
    "no description": (with_value("listing/description", ""), "listing-description"),
    "a description that is a placeholder": (
        with_value("listing/description", "Lorem ipsum dolor sit amet."),
        "listing-description",
    ),
    "a description that is long with all the rest": (
        with_value("listing/description", "It finds vehicles. " * 250),
        "listing-description",
    ),
    "no use cases": (with_value("listing/use_cases", ""), "listing-use-cases"),
    "no training data": (with_value("listing/training_data", "..."), "listing-training"),
    "no limitations": (with_value("listing/limitations", ""), "listing-limitations"),
    "limitations in a word": (with_value("listing/limitations", "None."), "listing-detail"),
    "an input in two words": (with_value("usage/input/description", "JSON object"), "listing-detail"),
    "no metric": (with_value("listing/performance", "It is very accurate on our images."), "listing-performance"),
    "no latency": (with_value("listing/speed", "It is quick on all instance types."), "listing-speed"),
    "no highlight": (with_value("listing/highlights", []), "listing-highlights"),
    "four highlights": (
        with_value("listing/highlights", [f"Finds {n} vehicles." for n in "abcd"]),
        "listing-highlights",
    ),
    "no category": (with_value("listing/categories", []), "listing-categories"),
    "a category twice": (with_value("listing/categories", ["Computer Vision"] * 2), "listing-categories"),
    "a long keyword": (with_value("listing/keywords", ["k" * 51]), "listing-keywords"),
    "many keywords": (with_value("listing/keywords", [f"word{n}" for n in range(16)]), "listing-keywords"),
    "no logo": (with_value("listing/logo_url", ""), "listing-logo"),
    "a logo in a bucket's own scheme": (with_value("listing/logo_url", "s3://bucket/logo.png"), "listing-logo"),
    "a logo at home": (with_value("listing/logo_url", "https://localhost/logo.png"), "listing-logo"),
    "no support": (with_value("listing/support", ""), "listing-support"),
    "an empty number": (with_value("listing/sku", " "), "listing-sku"),
    "four links": (
        with_value("listing/resources", [{"text": f"Manual {n}", "url": "https://example.com"} for n in range(4)]),
        "listing-links",
    ),
    "a link to nothing": (with_value("listing/resources", [{"text": "Manual", "url": "manual.html"}]), "listing-links"),
    "nothing that sets it apart": (with_value("listing/differentiation", ""), "listing-difference"),
    "the best": (with_value("listing/highlights", ["The best vehicle detector."]), "listing-superlatives"),
    "number one": (with_value("listing/short_description", "The #1 way to count cars."), "listing-superlatives"),
    "no framework": (with_value("listing/framework", ""), "listing-framework"),
    "no resources": (with_value("listing/resources", []), "listing-resources"),
    "a medical product": (with_value("listing/use_cases", "Finding tumours in radiology images."), "listing-medical"),
    "serverless": (
        with_value("listing/highlights", ["Runs on serverless endpoints too."]),
        "listing-unsupported",
    ),
    "no input": (with_value("usage/input/description", ""), "usage-input"),
    "long limitations": (with_value("usage/input/limitations", "not this " * 120), "usage-input"),
    "no input sample": (with_value("usage/input/realtime_sample", {}), "usage-input-samples"),
    "a sample said twice": (
        with_value("usage/input/realtime_sample", {"text": "x", "file": SAMPLE.path}),
        "usage-input-samples",
    ),
    "a sample file that is not there": (
        with_value("usage/input/realtime_sample", {"file": "samples/two.json"}),
        "usage-input-samples",
    ),
    "an empty sample file": (facts_of(files={SAMPLE.path: NamedFile(SAMPLE.path)}), "usage-input-samples"),
    "no output": (with_value("usage/output/description", "tbd"), "usage-output"),
    "no output sample": (with_value("usage/output/batch_sample", {"text": " "}), "usage-output-samples"),
    "no instructions": (with_value("usage/instructions", ""), "usage-instructions"),
    "long instructions": (with_value("usage/instructions", INSTRUCTIONS * 40), "usage-instructions"),
    "no example": (with_value("usage/instructions", "Create an endpoint and call it."), "usage-example"),
    "no notes": (with_value("release/notes", ""), "usage-release"),
    "a long version title": (with_value("release/title", "1" * 65), "usage-release"),
    "no notebook URL": (with_value("usage/notebook_url", ""), "usage-notebook-url"),
    "a notebook elsewhere": (with_value("usage/notebook_url", "https://example.com/notebook.ipynb"), "usage-github"),
    "a sample elsewhere": (
        with_value("usage/input/batch_sample", {"url": "https://github.com.example.com/one.json"}),
        "usage-github",
    ),
    "many parameters": (
        with_value(
            "usage/input/parameters",
            [{"name": f"p{n}", "description": "one", "required": False} for n in range(36)],
        ),
        "usage-parameter-form",
    ),
    "a parameter twice": (
        with_value("usage/output/parameters", [{"name": "p", "description": "one", "always_returned": True}] * 2),
        "usage-parameter-form",
    ),
    "an output that is long with its constraints": (
        with_value(
            "usage/output/parameters",
            [{"name": "p", "description": "one " * 200, "constraints": "two " * 100, "always_returned": True}],
        ),
        "usage-parameter-form",
    ),
    "a notebook whose repository is not known": (
        changed_facts(notebook_url="https://example.com/notebook.ipynb", repository_url=None),
        "usage-notebook-url",
    ),
    "a parameter without a name": (
        with_value("usage/input/parameters", [{"description": "one", "required": True}]),
        "usage-parameter-form",
    ),
    "no input parameters": (with_value("usage/input/parameters", []), "usage-input-params"),
    "a parameter that may be required": (
        with_value("usage/input/parameters", [{"name": "image", "description": "pixels"}]),
        "usage-input-params",
    ),
    "no output parameters": (with_value("usage/output/parameters", []), "usage-output-params"),
    "long custom attributes": (
        with_value(
            "usage/input/custom_attributes",
            [{"name": f"{n:02}" + "x" * 90, "description": "one", "required": False} for n in range(12)],
        ),
        "usage-attributes",
    ),
    "an environment for buyers": (
        with_value("usage/instructions", INSTRUCTIONS + 'PrimaryContainer={"Environment": {"A": "1"}}'),
        "buyer-environment",
    ),
    "a model with a network": (
        with_value("usage/instructions", INSTRUCTIONS + 'sagemaker.create_model(ModelName="vehicles")'),
        "buyer-isolation",
    ),
    "a client that repeats": (
        with_value("usage/instructions", 'To call it: boto3.client("sagemaker-runtime").invoke_endpoint(Body=body).'),
        "buyer-retries",
    ),
}

NOTEBOOKS: Mapping[str, tuple[Notebook, str]] = {
    "not there": (Notebook("notebook.ipynb", fault="is not there"), "notebook-form"),
    "empty": (Notebook("notebook.ipynb", ()), "notebook-form"),
    "no Python": (Notebook("notebook.ipynb", ("def f(:\n",)), "notebook-form"),
    "asks": (Notebook("notebook.ipynb", (*CELLS, 'arn = input("ARN?")')), "notebook-asks"),
    "a region": (Notebook("notebook.ipynb", (*CELLS, 'region = "us-east-1"')), "notebook-regions"),
    "a missing module": (Notebook("notebook.ipynb", (*CELLS, "from torch import nn")), "notebook-imports"),
    "a network": (
        Notebook("notebook.ipynb", (*CELLS[:1], CELLS[1].replace("True", "False"), CELLS[2])),
        "buyer-isolation",
    ),
    "retries": (Notebook("notebook.ipynb", (*CELLS[:2], CELLS[2].replace("retries", "tries"))), "buyer-retries"),
}


def test_a_clean_project_fails_nothing_and_decides_everything() -> None:
    findings = judge_project(facts_of())
    assert {id_: f.verdict.reason for id_, f in findings.items() if f.status in (Status.FAIL, Status.UNKNOWN)} == {}
    assert failed_clauses(judge_project(by_inference())) == set()


@pytest.mark.parametrize("defect", sorted(DEFECTS))
def test_a_defect_fails_exactly_its_own_clause(defect: str) -> None:
    facts, clause_id = DEFECTS[defect]
    assert failed_clauses(judge_project(facts)) == {clause_id}


@pytest.mark.parametrize("defect", sorted(NOTEBOOKS))
def test_a_defect_of_the_notebook_fails_exactly_its_own_clause(defect: str) -> None:
    notebook, clause_id = NOTEBOOKS[defect]
    assert failed_clauses(judge_project(facts_of(), notebook=notebook)) == {clause_id}


@pytest.mark.parametrize(
    "facts",
    [
        with_value("listing/description", "Takes the best of three images and returns boxes for vehicles in it."),
        with_value("usage/instructions", INSTRUCTIONS + "Serverless endpoints are not supported."),
        with_value("listing/short_description", "Counts cars best when the image is sharp."),
        with_value("listing/medical_use", "It is for research only and not for diagnosis."),
        with_value("pricing/eula", "https://example.com/eula.html"),
        with_value("listing/use_cases", "Cuenta todo lo que se mueve en una imagen."),
        with_value("account/bucket", "vehicles.-releases.v1"),
        facts_of(
            changed("response_types", ["application/json", "image/png"]),
            serving=Serving(content_types=("application/json",)),
        ),
        with_value("account/repository", "123456789012.dkr.ecr.us-east-1.amazonaws.com/vehicles"),
        with_value("account/id", None),
        with_value("release/title", None),
        with_value("version", "2024.1"),
        with_value("usage/notebook", None),
        facts_of(base="811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:1"),
        facts_of(has_archive=False, artifacts_bytes=7 * GB, image_bytes=20 * GB),
        facts_of(changed("regions", ["ap-northeast-3"]), opt_ins={"ap-northeast-3": "opt-in-not-required"}),
        facts_of(serving=Serving(content_types=("application/json; charset=utf-8", "text/csv"))),
        facts_of(samples=Folder("validation", (NamedFile("validation/large.json", 2**22, b"{"),))),
        facts_of(expected=Folder("expected", (file_of(b"1", "expected/one.json.out"),))),
        facts_of(metered=(Metered("predictor.py:9", "tokens"),)),
        by_inference(free_trial_days=30),
        with_value(
            "pricing", {**CLEAN["pricing"], "model": "byol", "realtime": {}, "batch": {}, "free_trial_days": None}
        ),
        with_value("pricing/realtime", {"ml.m5.large": 0, "ml.c5.xlarge": 0.8}),
        with_value("pricing/refund_policy", "No refunds."),
        with_value("release/notes", "Initial release"),
        with_value("listing/support", "support@acme.io"),
        with_value("listing/short_description", "車両を検出します。"),
        with_value("listing/title", "Extracts TODO items from meeting notes"),
        with_value("usage/input/description", "Upload your image here as JSON."),
        with_value("listing/keywords", ["text", "todo"]),
        with_value("listing/highlights", ["Counts vehicles."]),
        with_value("validation/content_type", "application/json; charset=utf-8"),
    ],
    ids=range(32),
)
def test_what_only_looks_like_a_defect_fails_nothing(facts: ProjectFacts) -> None:
    assert failed_clauses(judge_project(facts)) == set()


@pytest.mark.parametrize(
    ("facts", "clause_id"),
    [
        (facts_of(api=None), "instance-types"),
        (facts_of(api=None), "package-request"),
        (facts_of(image_bytes=None), "package-volume"),
        (with_value("regions", ["ap-northeast-3"]), "region-default"),
        (facts_of(changed("regions", ["ap-northeast-3"]), opt_ins={}), "region-default"),
        (with_value("content_types", ["application/json", "text/csv"]), "sample-types"),
        (by_inference(dimension="tokens"), "pricing-dimension"),
        (facts_of(changed("pricing", PER_INFERENCE), metered=(Metered("predictor.py:9", None),)), "pricing-metering"),
    ],
)
def test_what_cannot_be_told_is_unknown_with_a_reason(facts: ProjectFacts, clause_id: str) -> None:
    findings = judge_project(facts)
    assert findings[clause_id].status is Status.UNKNOWN
    assert findings[clause_id].verdict.reason
    assert failed_clauses(findings, Level.MUST) == set()


@pytest.mark.parametrize(
    "call",
    [
        "runtime.invoke_endpoint(EndpointName=name, Body=body)",
        "runtime.invokeEndpoint(request);",
        "await client.send(new InvokeEndpointCommand({ EndpointName: name }));",
        "client.InvokeEndpointWithResponseStream(ctx, input)",
        "aws sagemaker-runtime invoke-endpoint --endpoint-name vehicles --body fileb://one.json out.json",
        "sagemaker.create_transform_job(TransformJobName=name)",
        "client.createTransformJob(request)",
        "aws sagemaker create-transform-job --cli-input-json file://job.json",
        "predictor.predict(body)",
        "POST https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/vehicles/invocations",
    ],
)
def test_a_call_is_one_in_any_language(call: str) -> None:
    findings = judge_project(with_value("usage/instructions", f"Create an endpoint, then call it:\n\n{call}"))
    assert findings["usage-example"].status is Status.PASS


@pytest.mark.parametrize(
    "cell",
    [
        "# no input() is needed\nprint('input(')",
        "def input(name):\n    return name\n\nprint(input('x'))",
        "import getpass\nprint(getpass.getuser())",
        "from getpass import getuser\ngetuser()",
        "files = !ls \\\n    -l\nprint(files)",
        "!pip install torch \\\n    torchvision\nimport torch",
        "%%time\n!echo input(x)\nprint(1)",
        "%%bash\ninput(",
        "if True:\n    !ls\n    %pip install torch",
        "text = ('%s'\n    %region)",
        "boto3.client?",
        "import sagemaker, scipy, sklearn, tqdm",
    ],
)
def test_a_cell_that_asks_nothing_and_is_python(cell: str) -> None:
    assert failed_clauses(judge_project(facts_of(), (*CELLS, cell))) == set()


@pytest.mark.parametrize(
    "cell",
    [
        "arn = input ('ARN?')",
        "import getpass\ngetpass.getpass()",
        "from getpass import getpass as ask\nask()",
        "%%time\nx = !ls\ninput()",
    ],
)
def test_a_cell_that_asks(cell: str) -> None:
    assert failed_clauses(judge_project(facts_of(), (*CELLS, cell))) == {"notebook-asks"}


@pytest.mark.parametrize("clause_id", ["listing-logo", "listing-links", "usage-notebook-url", "usage-github"])
def test_no_address_passes_as_one_that_was_opened(clause_id: str) -> None:
    finding = judge_project(facts_of())[clause_id]
    assert finding.status is Status.PASS
    assert "can be opened is not tried" in finding.verdict.reason


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (with_value("pricing/model", "monthly"), "free, hourly, per-inference, byol"),
        (with_value("validation/split_type", "Lines"), "None, Line, RecordIO, TFRecord"),
    ],
)
def test_a_word_that_is_none_is_told_with_those_that_are(facts: ProjectFacts, words: str) -> None:
    reasons = [f.verdict.reason for f in judge_project(facts).values() if f.status is Status.FAIL]
    assert [reason.endswith(f"want one of: {words}") for reason in reasons] == [True]


def test_a_key_in_a_sample_is_never_repeated() -> None:
    finding = judge_project(DEFECTS["a key in a sample"][0])["validation-public"]
    assert "AKIAIOSFODNN7EXAMPLE" not in str(finding.verdict)


def test_every_clause_on_what_is_sold_has_a_defect_that_breaks_it_and_is_asked_only_there() -> None:
    broken = {clause_id for _, clause_id in (*DEFECTS.values(), *NOTEBOOKS.values())}
    asked = {check.clause.id for check in CHECKS if check.scene in SCENES}
    # undecided at worst; a fact to be shown
    assert asked - broken == {"sample-types", "pricing-batch"}
    assert all(CLAUSES[clause_id].only == (Profile.MARKETPLACE,) for clause_id in asked)


def test_the_apis_own_sentence_is_the_reason() -> None:
    sentence = "Value 'x' at 'modelPackageName' failed to satisfy constraint: y"
    finding = judge_project(facts_of(api=ApiModel("botocore 1", API.realtime, API.batch, (sentence,))))[
        "package-request"
    ]
    assert finding.verdict.reason == sentence
