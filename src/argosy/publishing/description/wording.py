"""The texts of a description: formats, code for buyers, the latency line."""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from argosy.contract import ENDPOINT_BODY
from argosy.marketplace.model_package import recommended
from argosy.marketplace.table import Marketplace
from argosy.publishing.description.description import Limits
from argosy.publishing.description.measurement import Measured

_MB: Final = 2**20
_GIB: Final = 2**30
_EXPANDED: Final = re.compile(r'[\\"$`]')
"""What a shell reads as more than itself between double quotes (POSIX, "Double-Quotes", read 2026-11-23)."""
_ACCELERATED: Final = re.compile(r"ml\.(g\d|p\d|inf|trn|dl)")
"""Types with a GPU, or a chip of AWS's or Intel's own, which no container here gets."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A sample and its answer, as code for buyers shows them.

    Attributes:
        content_type: Of the sample.
        accept: What is asked for.
        file: A name for the sample's file.
    """

    content_type: str
    accept: str
    file: str


def latency(measured: Measured, limits: Limits) -> str:
    """How quick the image is, with all that the numbers depend on."""
    clients = f"{_rate(measured.rate)} invocations per second with one client"
    if measured.best_clients > 1:
        clients += f", {_rate(measured.best_rate)} with {measured.best_clients}"
    return (
        f"Measured on the seller's machine, not on AWS, in a container {_given(limits)}: half of {measured.count:,}"
        f" invocations took at most {_ms(measured.p50_ms)} (p50), 99 in 100 at most {_ms(measured.p99_ms)} (p99);"
        f" {clients}. Each had a body of {_size(measured.request_bytes)} and an answer of"
        f" {_size(measured.response_bytes)}."
    )


def input_text(table: Marketplace, forms: Mapping[str, str]) -> str:
    """What a request holds, for endpoints and for transform jobs.

    Args:
        table: What the seller says of the validation's job, which the text tells of.
        forms: Media type -> what a body of it is; empty where that is not known.
    """
    said = table.validation
    largest = f"{ENDPOINT_BODY.value / _MB:.0f} MB"
    lines = [
        f"An endpoint takes one body of at most {largest} in each invocation, by its Content-Type:",
        *_forms(forms),
    ]
    split = f"divided by SplitType {said.split_type}" if said.split_type != "None" else "each one whole body"
    lines.append(
        f"A transform job takes objects in S3 of the same types, {split}, with BatchStrategy {said.batch_strategy}:"
        f" a body of at most {said.max_payload_mb} MB in each request."
    )
    return "\n".join(lines)


def output_text(table: Marketplace, forms: Mapping[str, str]) -> str:
    """What an answer holds, for endpoints and for transform jobs.

    Args:
        table: What the seller says of the validation's job.
        forms: Media type -> what a body of it is; empty where that is not known.
    """
    assembled = ", the results one a line" if table.validation.assemble_with == "Line" else ""
    return "\n".join(
        (
            "An endpoint answers each invocation with one body, by what Accept allows:",
            *_forms(forms),
            f"A transform job writes NAME.out for each object NAME, with the same content{assembled}.",
        )
    )


def instructions(table: Marketplace, exchange: Exchange) -> str:
    """How a buyer calls the model: endpoint and transform job, with boto3 and with the AWS CLI.

    Args:
        table: What the seller says: the package's name and instance types.
        exchange: A sample that was answered.
    """
    realtime, batch = recommended(table.instances)
    name = table.name or "model"
    parts = []
    if realtime:
        parts += [
            "Subscribe, take the model package's ARN for your region, and create an endpoint with boto3:",
            _code(_endpoint(name, realtime, table.inference_ami_version)),
        ]
    parts += [
        "Invoke it. The client waits longer than the endpoint does, and repeats nothing, since each answer counts:",
        _code(_invoke(name, exchange)),
        "The same with the AWS CLI:",
        _code(_invoke_cli(name, exchange)),
    ]
    if batch:
        parts += [
            "Or run a transform job over objects in S3, with the same model:",
            _code(_transform(name, batch, table, exchange)),
        ]
    parts += [
        "An endpoint costs by the hour until it is deleted:",
        _code(f"aws sagemaker delete-endpoint --endpoint-name {name}"),
    ]
    return "\n\n".join(parts)


def _endpoint(name: str, instance_type: str, ami_version: str | None) -> str:
    ami = f',\n    "InferenceAmiVersion": "{ami_version}"' if ami_version else ""
    return f"""\
import boto3

sagemaker = boto3.client("sagemaker")
sagemaker.create_model(
    ModelName="{name}",
    ExecutionRoleArn=role_arn,
    PrimaryContainer={{"ModelPackageName": model_package_arn}},
    EnableNetworkIsolation=True,
)
variant = {{
    "VariantName": "all",
    "ModelName": "{name}",
    "InstanceType": "{instance_type}",
    "InitialInstanceCount": 1{ami},
}}
sagemaker.create_endpoint_config(
    EndpointConfigName="{name}",
    ProductionVariants=[variant],
)
sagemaker.create_endpoint(
    EndpointName="{name}",
    EndpointConfigName="{name}",
)
waiter = sagemaker.get_waiter("endpoint_in_service")
waiter.wait(EndpointName="{name}")"""


def _invoke(name: str, exchange: Exchange) -> str:
    return f"""\
import boto3
from botocore.config import Config

once = Config(read_timeout=70, retries={{"max_attempts": 0}})
runtime = boto3.client("sagemaker-runtime", config=once)
with open("{exchange.file}", "rb") as sample:
    answer = runtime.invoke_endpoint(
        EndpointName="{name}",
        ContentType={_literal(exchange.content_type)},
        Accept={_literal(exchange.accept)},
        Body=sample.read(),
    )
print(answer["Body"].read())"""


def _invoke_cli(name: str, exchange: Exchange) -> str:
    return f"""\
export AWS_MAX_ATTEMPTS=1
aws sagemaker-runtime invoke-endpoint \\
  --endpoint-name {name} \\
  --content-type {_argument(exchange.content_type)} \\
  --accept {_argument(exchange.accept)} \\
  --body fileb://{exchange.file} --cli-read-timeout 70 answer.out"""


def _transform(name: str, instance_type: str, table: Marketplace, exchange: Exchange) -> str:
    said = table.validation
    return f"""\
samples = {{"S3DataType": "S3Prefix", "S3Uri": "s3://BUCKET/input/"}}
sagemaker.create_transform_job(
    TransformJobName="{name}-1",
    ModelName="{name}",
    BatchStrategy="{said.batch_strategy}",
    MaxPayloadInMB={said.max_payload_mb},
    TransformInput={{
        "DataSource": {{"S3DataSource": samples}},
        "ContentType": {_literal(exchange.content_type)},
        "SplitType": "{said.split_type}",
    }},
    TransformOutput={{
        "S3OutputPath": "s3://BUCKET/output/",
        "Accept": {_literal(exchange.accept)},
        "AssembleWith": "{said.assemble_with}",
    }},
    TransformResources={{
        "InstanceType": "{instance_type}",
        "InstanceCount": 1,
    }},
)"""


def _literal(text: str) -> str:
    """A text in Python: the parameters of a media type may have quotes."""
    return json.dumps(text, ensure_ascii=False)


def _argument(text: str) -> str:
    """A text as one argument of a command, in which a shell finds nothing to run."""
    return '"' + _EXPANDED.sub(r"\\\g<0>", text) + '"'


def _code(text: str) -> str:
    return textwrap.indent(text, "    ")


def _forms(forms: Mapping[str, str]) -> Iterator[str]:
    for name, form in forms.items():
        yield f"- {name}: {form}" if form else f"- {name}"


def _given(limits: Limits) -> str:
    """What the container had, with the instance type whose limits those were."""
    cpus = _share(min(limits.cpus, limits.machine_cpus), limits.cpus, "vCPUs" if limits.instance_type else "processors")
    if limits.memory_bytes is None or limits.instance_type is None:
        return f"with {cpus}, its memory not limited"
    given = min(limits.memory_bytes, limits.machine_memory_bytes)
    memory = _share(_gib(given), _gib(limits.memory_bytes), "GiB of memory")
    gpu = ", without its accelerator" if _ACCELERATED.match(limits.instance_type) else ""
    return f"with {cpus} and {memory} of {limits.instance_type}{gpu}"


def _share(given: float, whole: float, unit: str) -> str:
    """How much of something was given.

    >>> _share(2, 2, "vCPUs"), _share(2, 4, "vCPUs")
    ('the 2 vCPUs', '2 of the 4 vCPUs')
    """
    return f"the {whole:g} {unit}" if given >= whole else f"{given:g} of the {whole:g} {unit}"


def _gib(size: int) -> float:
    return round(size / _GIB, 1)


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:,.0f} ms" if milliseconds >= 100 else f"{milliseconds:.2g} ms"


def _size(count: int) -> str:
    return f"{count / _MB:.1f} MB" if count >= _MB else f"{count:,} bytes"
