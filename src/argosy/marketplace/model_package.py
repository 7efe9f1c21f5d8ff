"""What CreateModelPackage is told, made of `[marketplace]`: nothing here calls AWS.

Source: CreateModelPackage in botocore's sagemaker 2017-07-24 model; AWS Marketplace seller guide, "Creating your Amazon
SageMaker resource" (read 2026-11-23).
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from argosy.marketplace.table import Instances, Marketplace

PROFILE_NAME: Final = "validation-1"


@dataclass(frozen=True, slots=True)
class PackageTypes:
    """The media types of a package.

    Attributes:
        content_types: What it takes, the first by default.
        response_types: What it gives, the first by default.
    """

    content_types: tuple[str, ...]
    response_types: tuple[str, ...]

    @classmethod
    def of(cls, table: Marketplace, served: tuple[str, ...]) -> "PackageTypes":
        """Those that the table says; else those that the server takes and gives."""
        taken = table.content_types or served
        return cls(taken, table.response_types or taken)


@dataclass(frozen=True, slots=True)
class Places:
    """Where in S3 the parts of one package are.

    Attributes:
        artifacts: URI of model.tar.gz.
        samples: URI of the prefix of the validation's input.
        results: URI of the prefix of its output.
    """

    artifacts: str
    samples: str
    results: str

    @classmethod
    def of(cls, table: Marketplace) -> "Places":
        """Below the table's bucket and prefix, in a folder with the package's name."""
        steps = (table.account.bucket_in(table.region), *table.account.prefix.split("/"), package_name(table))
        folder = "s3://" + "/".join(step for step in steps if step)
        return cls(f"{folder}/model.tar.gz", f"{folder}/validation/in/", f"{folder}/validation/out/")


def package_name(table: Marketplace) -> str:
    """The name with the version: a package cannot be changed, so each version has a name of its own.

    >>> package_name(Marketplace(name="vehicle-detector", version="1.0.0"))
    'vehicle-detector-1-0-0'
    """
    version = re.sub(r"[^A-Za-z0-9]+", "-", table.version).strip("-")
    return f"{table.name}-{version}" if version else table.name


def recommended(instances: Instances) -> tuple[str | None, str | None]:
    """The recommended types for endpoints and for transform jobs, None where the package supports none."""
    realtime = instances.recommended_realtime or next(iter(instances.realtime), None)
    batch = instances.recommended_batch or next(iter(instances.batch), None)
    return realtime, batch


def transform_job_definition(table: Marketplace, types: PackageTypes, places: Places) -> dict[str, Any]:
    """The `TransformJobDefinition` of the validation profile, member by member as the API spells it.

    What the table leaves open is left out, and so is wrong; `argosy check` says so.

    Args:
        table: What the seller says.
        types: The package's media types.
        places: Where samples and results are.
    """
    said = table.validation
    source: dict[str, Any] = {
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": places.samples}},
        "CompressionType": "None",
        "SplitType": said.split_type,
    }
    if content_type := said.content_type or next(iter(types.content_types), None):
        source["ContentType"] = content_type
    target: dict[str, Any] = {"S3OutputPath": places.results, "AssembleWith": said.assemble_with}
    if accept := said.accept or next(iter(types.response_types), None):
        target["Accept"] = accept
    resources: dict[str, Any] = {"InstanceCount": 1}
    if instance_type := said.instance_type or recommended(table.instances)[1]:
        resources["InstanceType"] = instance_type
    return {
        "MaxConcurrentTransforms": said.max_concurrent_transforms,
        "MaxPayloadInMB": said.max_payload_mb,
        "BatchStrategy": said.batch_strategy,
        "TransformInput": source,
        "TransformOutput": target,
        "TransformResources": resources,
    }


def create_request(table: Marketplace, types: PackageTypes, image: str, has_archive: bool) -> dict[str, Any]:
    """The request to CreateModelPackage: an unversioned package of one container, certified for AWS Marketplace.

    Args:
        table: What the seller says.
        types: The package's media types.
        image: Reference of the image in ECR, by digest.
        has_archive: Whether the artifacts are in a model.tar.gz; else they are in the image.
    """
    places = Places.of(table)
    container: dict[str, Any] = {"Image": image}
    if has_archive:
        container["ModelDataUrl"] = places.artifacts
    if table.environment:
        container["Environment"] = dict(table.environment)
    request: dict[str, Any] = {
        "ModelPackageName": package_name(table),
        "InferenceSpecification": {
            "Containers": [container],
            "SupportedTransformInstanceTypes": list(table.instances.batch),
            "SupportedRealtimeInferenceInstanceTypes": list(table.instances.realtime),
            "SupportedContentTypes": list(types.content_types),
            "SupportedResponseMIMETypes": list(types.response_types),
        },
        "CertifyForMarketplace": True,
    }
    if table.description:
        request["ModelPackageDescription"] = table.description
    if table.validation.role:
        definition = transform_job_definition(table, types, places)
        request["ValidationSpecification"] = {
            "ValidationRole": table.validation.role,
            "ValidationProfiles": [{"ProfileName": PROFILE_NAME, "TransformJobDefinition": definition}],
        }
    return request
