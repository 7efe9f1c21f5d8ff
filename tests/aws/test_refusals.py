"""What sellers and buyers meet, told with cause and remedy."""

import botocore.exceptions
import pytest

from argosy.aws.refusals import explain, unanswered

SAID_BY_AWS = {
    "F01 index": (
        "ValidationException",
        "Unsupported manifest media type application/vnd.oci.image.index.v1+json for image 1.dkr.ecr.a/b",
        "argosy image convert",
    ),
    "F01 manifest": (
        "ValidationException",
        "Unsupported manifest media type application/vnd.oci.image.manifest.v1+json for image x",
        "argosy image convert",
    ),
    "F02": ("", "standard_init_linux.go:219: exec user process caused: exec format error", "argosy build"),
    "F03": ("", 'exec: "serve": executable file not found in $PATH: unknown', "argosy check"),
    "F04": (
        "ClientError",
        "The primary container for production variant main did not pass the ping health check. Please check",
        "argosy check",
    ),
    "F05": ("ClientError", "ClientError: See job logs for more information", "argosy check"),
    "F09": (
        "ModelError",
        "Received server error (0) from primary with message "
        '"Your invocation timed out while waiting for a response from container primary."',
        "argosy check",
    ),
    "F10 log": ("", "ClientError: 413", "argosy check"),
    "F10 page": ("", "<h1>Request Entity Too Large</h1>", "argosy check"),
    "F10 job": ("AlgorithmError", "Unable to get response from algorithm", "argosy check"),
    "F11": ("", "OSError: [Errno 28] No space left on device", "archive"),
    "F12": (
        "ClientError",
        "The model data archive is too large. Please reduce the size of the model data archive",
        "memory",
    ),
    "F13": ("ClientError", "Failed to extract model data archive from URL s3://b/k", "argosy pack"),
    "F15": (
        "ClientError",
        "Client error: Access denied for registry: 1.dkr.ecr.us-east-1.amazonaws.com",
        "argosy push",
    ),
    "F16": ("ClientError", "Client error: No scan scheduled for image", "argosy push"),
    "F17": ("UnsupportedImageTypeException", "The image is of a type that cannot be scanned.", "base image"),
    "F18": ("ValidationException", "The model package was created without CertifyForMarketplace", "argosy register"),
    "F19": ("ASSET_NOT_FOUND", "The asset was not found.", "access_role"),
    "F19 role": ("INVALID_ACCESS_ROLE", "The role cannot be assumed.", "argosy kit"),
    "F20": (
        "ValidationException",
        "1 validation error detected: Value 'AmazonSageMaker-ExecutionRole-20200101' at "
        "'validationSpecification.validationRole' failed to satisfy constraint: Member must satisfy regular expression",
        "arn:aws:iam::ACCOUNT:role/NAME",
    ),
    "F21": ("UPDATE_PRICING_REQUIRED", "Instance type ml.m5.xlarge has no price.", "[marketplace.pricing]"),
    "F22 type": ("INVALID_RECOMMENDED_INSTANCE_TYPE", "ml.m4.xlarge", "recommended_realtime"),
    "F22 title": ("DUPLICATE_VERSION_TITLE", "1.0", "[marketplace.release]"),
    "F22 asset": ("DUPLICATE_ASSET", "arn", "argosy register"),
    "F23": ("ValidationException", "Caller is not subscribed to the marketplace offering.", "argosy subscribe"),
    "F24": (
        "ValidationException",
        "ModelPackage arn:aws:sagemaker:us-east-2:1:model-package/a does not exist.",
        "region",
    ),
    "F25": ("ValidationException", "Environment variable map cannot be specified", "Environment"),
    "F26": ("ValidationException", "Network isolation must be enabled for this model", "EnableNetworkIsolation=True"),
    "F27 quota": (
        "ResourceLimitExceeded",
        "The account-level service limit 'ml.g5.xlarge for endpoint usage' is 0 Instances",
        "Service Quotas",
    ),
    "F27 capacity": ("InsufficientInstanceCapacity", "There is not enough capacity", "region"),
    "F27 endpoint": (
        "",
        "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity",
        "region",
    ),
    "F28": ("", "CUDA driver version is insufficient for CUDA runtime version", "--inference-ami-version"),
}
"""Row of the list of what goes wrong -> the code, the sentence, and a word of the remedy.

The other rows are sentences of no service of AWS's, and are clauses of `argosy check`: F06 and F07 (gunicorn's log: a
worker that takes too long, or too much memory), F08 (a download at start), F14 (an archive with one folder too many);
or have no sentence at all: F29 (a job that failed beside what it has written), F30 (a notebook that does not run), F31
(calls made twice by a client that retries).
"""


@pytest.mark.parametrize("row", SAID_BY_AWS)
def test_what_aws_says_has_a_cause_and_a_remedy(row: str) -> None:
    code, sentence, remedy = SAID_BY_AWS[row]
    refusal = explain(code, sentence)
    assert refusal.cause
    assert refusal.remedy is not None
    assert remedy in refusal.remedy
    assert refusal.sentence == sentence


def test_every_row_is_covered_or_said_not_to_be_aws_s() -> None:
    covered = {row[:3] for row in SAID_BY_AWS}
    others = {"F06", "F07", "F08", "F14", "F29", "F30", "F31"}
    assert covered | others == {f"F{number:02d}" for number in range(1, 32)}
    assert not covered & others


@pytest.mark.parametrize(
    ("code", "sentence", "remedy"),
    [
        ("NoSuchBucket", "The specified bucket does not exist", "aws s3 mb"),
        ("ValidationError", "Endpoint loud of account 444455556666 not found.", "--region"),
        ("ValidationException", 'Could not find endpoint "arn:aws:sagemaker:us-east-1:1:endpoint/loud".', "--region"),
    ],
)
def test_what_a_wrong_name_or_region_leads_to_is_told(code: str, sentence: str, remedy: str) -> None:
    found = explain(code, sentence).remedy
    assert found is not None
    assert remedy in found


def test_what_nobody_knows_is_told_as_it_came() -> None:
    refusal = explain("ValidationException", "Something  new\nhappened")
    assert (refusal.code, refusal.sentence) == ("ValidationException", "Something new happened")
    assert (refusal.cause, refusal.remedy) == ("", None)


@pytest.mark.parametrize(
    "sentence",
    [
        "Could not assume role arn:aws:iam::444455556666:role/Models. Please ensure that the role exists and allows "
        "principal 'sagemaker.amazonaws.com' to assume the role.",
        "User: arn:aws:iam::444455556666:user/ann is not authorized to perform: iam:PassRole on resource: "
        "arn:aws:iam::444455556666:role/Models because no identity-based policy allows the iam:PassRole action",
    ],
)
def test_a_role_that_cannot_be_taken_has_a_remedy(sentence: str) -> None:
    refusal = explain("ValidationException", sentence)
    assert "does not trust the service" in refusal.cause
    assert refusal.remedy is not None
    assert "argosy kit" in refusal.remedy


def test_who_may_not_is_told_so() -> None:
    assert explain("AccessDeniedException", "User is not authorized").cause.endswith("may not do it")


@pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "ExpiredToken", "UnrecognizedClientException"])
def test_a_sentence_that_may_repeat_what_was_signed_is_left_out(code: str) -> None:
    refusal = explain(code, "The canonical string was ... host:x x-amz-security-token:IQoJb3JpZ2lu")
    assert refusal.sentence == ""
    assert refusal.remedy


@pytest.mark.parametrize(
    "secret",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAIOSFODNN7EXAMPLE",
        "x-amz-security-token:IQoJb3JpZ2luX2VjEJr",
        "X-Amz-Security-Token=IQoJb3JpZ2luX2VjEJr",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG",
        "X-Amz-Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024",
        "X-Amz-Credential=AKIAIOSFODNN7EXAMPLE/20261123/us-east-1/s3/aws4_request",
    ],
)
def test_no_key_and_no_token_is_in_what_is_told(secret: str) -> None:
    told = explain("ValidationException", f"Refused: {secret} and so on").sentence
    value = secret.rpartition("=")[2].rpartition(":")[2].strip()
    assert value not in told
    assert told.startswith("Refused: ")


def test_a_long_sentence_is_cut() -> None:
    assert len(explain("ValidationException", "word " * 1000).sentence) <= 600


@pytest.mark.parametrize(
    "error",
    [
        botocore.exceptions.NoCredentialsError,
        botocore.exceptions.PartialCredentialsError,
        botocore.exceptions.CredentialRetrievalError,
        botocore.exceptions.TokenRetrievalError,
        botocore.exceptions.UnauthorizedSSOTokenError,
        botocore.exceptions.SSOTokenLoadError,
        botocore.exceptions.NoRegionError,
        botocore.exceptions.InvalidRegionError,
        botocore.exceptions.EndpointConnectionError,
        botocore.exceptions.ConnectTimeoutError,
        botocore.exceptions.ReadTimeoutError,
        botocore.exceptions.ConnectionClosedError,
        botocore.exceptions.ProxyConnectionError,
        botocore.exceptions.SSLError,
    ],
)
def test_what_keeps_aws_from_answering_has_a_cause_and_a_remedy(error: type[Exception]) -> None:
    refusal = unanswered(error.__name__)
    assert (refusal.code, refusal.sentence) == (error.__name__, "")
    assert refusal.cause
    assert refusal.remedy


def test_any_other_failure_is_told_by_its_name() -> None:
    assert unanswered("KeyError").remedy is None
