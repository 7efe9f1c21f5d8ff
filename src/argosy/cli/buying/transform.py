"""`argosy transform`: a transform job of AWS."""

from pathlib import Path
from typing import Any, Final

import click

from argosy.aws.s3 import S3Client
from argosy.cli.applying import Manner, carry_out, plan_options
from argosy.cli.buying.place import REGION, region_of, state_file
from argosy.deployment.batch.job import JobStep, Resources
from argosy.deployment.batch.place import Uri, is_uri, local_files, uri
from argosy.deployment.batch.results import ResultsStep
from argosy.deployment.batch.source import GivenInputStep, StagedInputStep
from argosy.deployment.invocation import content_type_of
from argosy.deployment.names import PackageArn, check_name, check_role, is_package_arn, package_arn
from argosy.deployment.plans import model_steps, transform_stages
from argosy.errors import UsageError
from argosy.planning.step import Step

_CHOICES: Final = {
    "--s3-data-type": (("S3Prefix", "ManifestFile"), "S3Prefix", "What the input's URI names."),
    "--compression-type": (("None", "Gzip"), "None", "How objects are packed."),
    "--split-type": (("None", "Line", "RecordIO", "TFRecord"), "None", "How objects are divided into records."),
    "--batch-strategy": (("MultiRecord", "SingleRecord"), None, "[default: the container's, else MultiRecord]"),
    "--assemble-with": (("None", "Line"), "None", "What ends every answer in a result."),
    "--join-source": (("None", "Input"), "None", "Whether results are joined with their records."),
}


def _job_options(verb: Any) -> Any:  # click's decorators take any callable
    """The options of CreateTransformJob."""
    for name, (values, default, text) in reversed(_CHOICES.items()):
        shown = default is not None
        verb = click.option(name, type=click.Choice(values), default=default, show_default=shown, help=text)(verb)
    for decorate in (
        click.option("--output-filter", metavar="PATH", default="$", help="What of the joined is stored."),
        click.option("--input-filter", metavar="PATH", default="$", help="What of a record is sent."),
        click.option("--invocations-max-retries", type=click.IntRange(0, 3), help="[default: 3]"),
        click.option("--invocations-timeout", type=click.IntRange(1, 3600), metavar="SECONDS", help="[default: 600]"),
        click.option("--max-concurrent-transforms", type=click.IntRange(0), help="[default: the container's, else 1]"),
        click.option("--max-payload-mb", type=click.IntRange(0, 100), help="[default: the container's, else 6]"),
        click.option("--accept", metavar="TYPE", help="Media type of the results. [default: the model's]"),
        click.option(
            "--content-type", metavar="TYPE", help="Media type of the records. [default: as the suffix tells]"
        ),
    ):
        verb = decorate(verb)
    return verb


@click.command("transform")
@click.argument("target", metavar="NAME|ARN")
@click.argument("source", metavar="INPUT")
@click.argument("output", metavar="OUTPUT")
@click.option("--staging", metavar="S3URI", help="Bucket and prefix through which local input and output go.")
@click.option("--name", metavar="NAME", help="With an ARN: name of the deployment. [default: the package's]")
@click.option("--role", metavar="ARN", help="With an ARN: the role that SageMaker takes to run the model.")
@click.option("--instance-type", metavar="TYPE", help="[default: what the seller recommends, else the package's first]")
@click.option("--count", type=click.IntRange(1), default=1, show_default=True, help="How many instances.")
@click.option("--product", metavar="PRODUCT_ID", help="Product of the package, for its prices and recommendations.")
@REGION
@_job_options
@plan_options
def command(target: str, source: str, output: str, **options: Any) -> int:  # Any: click's values
    """Run a transform job of AWS over INPUT, with the deployment NAME or the model package ARN.

    INPUT and OUTPUT are s3://BUCKET/PREFIX, or a folder of this machine, which then goes through --staging. The
    result of each object has its name with `.out`. The same command again finds the job, waits for it, and fetches what
    is missing; a job over other objects or with other options is another job. `argosy simulate transform` runs one
    here.
    """
    manner = Manner(*(options.pop(option) for option in ("plan_only", "as_json", "agrees")))
    package, deployment, region = _target(target, options.pop("name"), options.pop("region"))
    role = options.pop("role")
    if package is not None and role is None:
        raise UsageError("SageMaker needs a role to run the model", hint="--role arn:aws:iam::ACCOUNT:role/NAME")
    models = model_steps(deployment, region, package, check_role(role) if role else "", options.pop("product"))
    staging = options.pop("staging")
    resources = Resources(options.pop("instance_type"), options.pop("count"))
    where = None if staging is None else uri(staging).below(deployment)
    reading, name = _input(source, where, region)
    is_local = not is_uri(output)
    if is_local and not is_uri(source) and Path(output).resolve().is_relative_to(Path(source).resolve()):
        raise UsageError("results would become input of the next job", got=f"`{output}` in `{source}`")
    request = _request(options, content_type_of(name, options.pop("content_type")))
    place = _needed(where) if is_local else uri(output)
    job = JobStep(deployment, region, resources, request, place, is_local)
    results = ResultsStep(Path(output), region, S3Client()) if is_local else None
    stages = transform_stages(models, reading, job, results)
    code, _ = carry_out(stages, state_file("transform", region, deployment), manner)
    return code


def _target(target: str, name: str | None, region: str | None) -> tuple[PackageArn | None, str, str]:
    """The package, where one is named; the deployment; and the region."""
    if not is_package_arn(target):
        return None, check_name(target), region_of(region, target)
    package = package_arn(target)
    if region not in (None, package.region):
        raise UsageError("a model package is used in its own region", got=region, want=package.region)
    return package, check_name(name or package.deployment), package.region


def _input(source: str, staging: Uri | None, region: str) -> tuple[Step, str]:
    """The step of the input, and a name whose suffix tells its media type, empty for none."""
    if is_uri(source):
        place = uri(source)
        return GivenInputStep(place, region), "" if place.key.endswith("/") else place.key
    files = local_files(Path(source))
    suffixes = {Path(file.name).suffix for file in files}
    name = files[0].name if len(suffixes) == 1 else ""
    return StagedInputStep(files, _needed(staging), region, S3Client()), name


def _needed(staging: Uri | None) -> Uri:
    if staging is None:
        what = "files of this machine go to a transform job through S3"
        raise UsageError(what, want="a bucket and a prefix", hint="--staging s3://BUCKET/argosy")
    return staging


def _request(options: dict[str, Any], content_type: str) -> dict[str, Any]:
    """The request that the options spell, without names and places. Any: JSON."""
    client = {
        "InvocationsTimeoutInSeconds": options["invocations_timeout"],
        "InvocationsMaxRetries": options["invocations_max_retries"],
    }
    request = {
        "MaxConcurrentTransforms": options["max_concurrent_transforms"],
        "MaxPayloadInMB": options["max_payload_mb"],
        "BatchStrategy": options["batch_strategy"],
        "ModelClientConfig": _said(client) or None,
        "TransformInput": {
            "S3DataSource": {"S3DataType": options["s3_data_type"]},
            "ContentType": content_type,
            "CompressionType": options["compression_type"],
            "SplitType": options["split_type"],
        },
        "TransformOutput": _said({"Accept": options["accept"], "AssembleWith": options["assemble_with"]}),
        "DataProcessing": {
            "InputFilter": options["input_filter"],
            "OutputFilter": options["output_filter"],
            "JoinSource": options["join_source"],
        },
    }
    return _said(request)


def _said(members: dict[str, Any]) -> dict[str, Any]:
    """Those that have a value."""
    return {name: value for name, value in members.items() if value is not None}
