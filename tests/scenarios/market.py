"""A project that is sold, from its first line: a model that answers word by word."""

import json
from pathlib import Path

from argosy.local_aws.accounts import BUYER, INGESTION_ROLE, SELLER, VALIDATION_ROLE

NAME = "shouting"
TITLE = "Shouting words"
SAMPLES = {"one.txt": "the quick brown fox", "two.txt": "jumps over\nthe lazy dog"}
ANSWERS = {"one.txt": "THE QUICK BROWN FOX ", "two.txt": "JUMPS OVER THE LAZY DOG "}

_PREDICTOR = '''
from collections.abc import Iterator
from pathlib import Path

from argosy import Predictor


class Shouting(Predictor):
    """Says each word of a text louder, one after the other."""

    def load(self, model_dir: Path) -> None:
        self.end = (model_dir / "end.txt").read_text()

    def predict(self, text: str) -> Iterator[str]:
        for word in text.split():
            yield word.upper() + self.end
'''

_INSTRUCTIONS = """Subscribe, deploy with network isolation, then invoke:

    runtime = boto3.client("sagemaker-runtime", config=Config(read_timeout=70, retries={"max_attempts": 0}))
    answer = runtime.invoke_endpoint(EndpointName="shouting", ContentType="text/plain", Body=b"the quick fox")
"""

_SETTINGS = f"""
[model]
predictor = "predictor:Shouting"
artifacts = "model/"
bake = false

[serving]
content_types = ["text/plain"]

[image]
base = "debian"
include = ["predictor.py"]

[marketplace]
name = "{NAME}"
version = "VERSION"
description = "Says each word of a text louder."
region = "us-east-1"
regions = ["us-east-1", "eu-west-1"]
content_types = ["text/plain"]
response_types = ["text/plain"]
buyer_accounts = ["{BUYER.number}"]

[marketplace.instances]
realtime = ["ml.m5.large", "ml.c5.xlarge"]
batch = ["ml.m5.large"]

[marketplace.validation]
samples = "samples"
role = "{VALIDATION_ROLE.arn}"

[marketplace.account]
id = "{SELLER.number}"
repository = "{NAME}"
bucket = "{NAME}-releases-{{region}}"
prefix = "packages"
access_role = "{INGESTION_ROLE.arn}"

[marketplace.pricing]
model = "per-inference"
per_inference = "0.001"
batch = {{ "ml.m5.large" = "0.50" }}
refund_policy = "No refund is given, since a subscription alone costs nothing."

[marketplace.release]
notes = "The first version that is offered."

[marketplace.listing]
title = "{TITLE}"
short_description = "Says each word of a text in capital letters, one after the other."
description = "Takes a text as text/plain and answers its words in capital letters, each as soon as it is known."
use_cases = "Headlines of newspapers, and signs that have to be read from far away."
training_data = "None: capital letters are looked up in the tables of Unicode 15, of 149,186 characters."
limitations = "Languages without capital letters are given back as they are."
performance = "100.0 % accuracy benchmarked using the 149,186 characters of Unicode 15."
speed = "2 ms per text on ml.m5.large, measured with one client."
differentiation = "Each word is answered as soon as it is known."
framework = "Python 3.11"
highlights = ["Answers are streamed."]
categories = ["Natural Language Processing"]
keywords = ["text", "capital letters"]
logo_url = "https://shouting-public.s3.amazonaws.com/logo.png"
support = "Write to support@example.com; we answer within two working days."

[marketplace.usage]
instructions = {json.dumps(_INSTRUCTIONS)}
notebook = "notebook.ipynb"
notebook_url = "https://github.com/example/shouting/blob/main/notebook.ipynb"
repository_url = "https://github.com/example/shouting"

[marketplace.usage.input]
description = "A text in UTF-8, for endpoints and for transform jobs alike."
limitations = "Texts of at most 6 MB."
realtime_sample = {{ file = "samples/one.txt" }}
batch_sample = {{ url = "https://github.com/example/shouting/blob/main/samples/two.txt" }}
parameters = [{{ name = "text", description = "The whole body.", required = true }}]

[marketplace.usage.output]
description = "The words in capital letters, for endpoints and for transform jobs alike."
realtime_sample = {{ text = "THE QUICK BROWN FOX" }}
batch_sample = {{ text = "JUMPS OVER THE LAZY DOG" }}
parameters = [{{ name = "words", description = "All words.", always_returned = true }}]
"""

_NOTEBOOK = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {},
    "cells": [
        {"cell_type": "markdown", "metadata": {}, "source": f"# {TITLE}"},
        *(
            {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": source}
            for source in (
                "import boto3\nfrom botocore.config import Config\nsession = boto3.Session()",
                'session.client("sagemaker").create_model(\n    ModelName="shouting", ExecutionRoleArn=role,\n'
                '    PrimaryContainer={"ModelPackageName": arn}, EnableNetworkIsolation=True\n)',
                'quiet = Config(read_timeout=70, retries={"max_attempts": 0})\n'
                'runtime = session.client("sagemaker-runtime", config=quiet)\n'
                'runtime.invoke_endpoint(EndpointName="shouting", ContentType="text/plain", Body=b"the quick fox")',
            )
        ),
    ],
}


def make_project(root: Path, *, name: str = NAME, version: str = "1.0.0") -> Path:
    """The project as its seller has it before anything was built."""
    files = {
        "argosy.toml": _named(_SETTINGS, name).replace("VERSION", version),
        "predictor.py": _PREDICTOR,
        "model/end.txt": " ",
        "notebook.ipynb": json.dumps(_NOTEBOOK),
        **{f"samples/{file}": text for file, text in SAMPLES.items()},
    }
    for file, text in files.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text)
    return root


def _named(settings: str, name: str) -> str:
    """The names of repository, package, bucket and product are one's own in an account with several projects."""
    settings = settings.replace(f'= "{NAME}"', f'= "{name}"').replace(f'"{NAME}-releases', f'"{name}-releases')
    return settings if name == NAME else settings.replace(f'title = "{TITLE}"', f'title = "{TITLE} {name}"')
