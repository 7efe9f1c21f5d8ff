"""Why AWS refuses, and what mends it: the sentences that sellers and buyers meet, by code and words.

Source: AWS Marketplace seller guide, "Troubleshooting"; Catalog API, "Add a new version"; issues of
aws/amazon-sagemaker-examples and aws/sagemaker-python-sdk that quote them (read 2026-11-23).
"""

import re
from dataclasses import dataclass
from typing import Final

_UNSHOWN: Final = frozenset(
    {
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "AuthFailure",
    }
)
"""Codes whose sentences repeat what was signed, a session's token among it."""

_KEY: Final = re.compile(
    r"\bA(?:KIA|SIA)[A-Z0-9]{12,}\b"
    r"|(?i:x-amz-(?:security-token|signature|credential)|aws_(?:secret_access_key|session_token))"
    r"[\"']?\s*[:=]?\s*\S*"
)
_LONGEST: Final = 600

DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403", "Forbidden"}
)
"""Codes of services that know who asks, and do not let them."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a service said, and what is known about it.

    Attributes:
        code: Its code.
        sentence: Its sentence, empty where it may hold a secret.
        cause: Why it says so; empty where nobody knows.
        remedy: What mends it; None where nobody knows.
    """

    code: str
    sentence: str
    cause: str = ""
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    pattern: str
    cause: str
    remedy: str


_KNOWN: Final = (
    _Known(
        r"Unsupported manifest media type",
        "the image is stored as an OCI manifest or as an index (buildx, attestations, several platforms)",
        "argosy image convert docker://IMAGE docker://IMAGE, then register it by its new digest",
    ),
    _Known(
        r"validationRole.*failed to satisfy constraint|Value '[^']*' at '\S*[rR]ole\S*' failed to satisfy",
        "a role is named where its whole ARN is wanted",
        'argosy.toml, [marketplace.validation]: role = "arn:aws:iam::ACCOUNT:role/NAME"',
    ),
    _Known(
        r"No scan scheduled|scan .*not.*(started|scheduled)",
        "ECR has not scanned the image",
        "argosy push  (it starts the scan and waits for it), then argosy register",
    ),
    _Known(
        r"Access denied for registry",
        "the image is in another account or region than the package",
        "argosy push, which stores it in the ECR of the package's account and region",
    ),
    _Known(
        r"not subscribed to the marketplace offering",
        "the account has no subscription to the product, or to another version's product",
        "argosy subscribe PRODUCT",
    ),
    _Known(
        r"Environment variable map cannot be specified",
        "a Marketplace model takes no variables from its buyer",
        "leave Environment out: the model reads the request, Accept and CustomAttributes",
    ),
    _Known(
        r"[nN]etwork ?isolation",
        "a Marketplace model has to be cut off from the network",
        "EnableNetworkIsolation=True in CreateModel",
    ),
    _Known(
        r"ResourceLimitExceeded|account-level service limit",
        "the account's quota for this instance type is used up; for many types it is 0 at first",
        "ask for more at Service Quotas, SageMaker, or take another --instance-type",
    ),
    _Known(
        r"InsufficientInstanceCapacity|Unable to provision requested ML compute capacity",
        "AWS has no such instance free in this region now",
        "try again later, or take another --instance-type or region",
    ),
    _Known(
        r"model data archive is too large",
        "the archive does not fit the disk or the memory of the instance type",
        "take an instance type with more memory, or a larger volume",
    ),
    _Known(
        r"Failed to extract model data archive|extract.*model data",
        "model.tar.gz has links, or is no gzip-compressed tar archive",
        "argosy pack  (it writes one that SageMaker unpacks), then argosy register",
    ),
    _Known(
        r"did not pass the ping health check",
        "GET /ping did not answer 200 on port 8080 in time: 8 minutes, where the endpoint's config says nothing else",
        "argosy check .  (the clauses on start and health say why)",
    ),
    _Known(
        r"timed out while waiting for a response from container",
        "the container did not answer the invocation within 60 s",
        "argosy check .  (it times each sample), and a faster --instance-type",
    ),
    _Known(
        r"ClientError: 413|Request Entity Too Large|Unable to get response from algorithm",
        "the container refused a body, or ended while it read it: its limit is below what SageMaker may send",
        "argosy check .  (it sends the largest bodies that SageMaker sends)",
    ),
    _Known(
        r"No space left on device",
        "the image and the unpacked model do not fit the volume: 30 GB in a transform job",
        "argosy image show IMAGE  (it says what is large), then a smaller image or archive",
    ),
    _Known(
        r"UnsupportedImage(Type)?Exception|UNSUPPORTED_IMAGE|UnscannableImage",
        "ECR cannot scan the image: it knows no vulnerabilities of its distribution",
        "argosy.toml, [image]: a base image whose distribution ECR knows, such as debian:12",
    ),
    _Known(
        r"exec format error",
        "the program in the image is built for another processor than x86-64, or is a script without `#!`",
        "argosy build  (it builds for linux/amd64 on any machine), then argosy push",
    ),
    _Known(
        r'"?serve"?: executable file not found',
        "the image has no executable `serve` on its PATH, and no ENTRYPOINT that takes it as an argument",
        "argosy check .  (its clauses on the start command say what is missing)",
    ),
    _Known(
        r"See job logs for more information|AlgorithmError",
        "the validation's transform job failed in the container",
        "argosy check .  (it runs the same job here), or read the log in CloudWatch: /aws/sagemaker/TransformJobs",
    ),
    _Known(
        r"UPDATE_PRICING_REQUIRED|has no price|unpriced",
        "an instance type of the package has no price",
        "argosy.toml, [marketplace.pricing]: a price for every type of [marketplace.instances], in both modes",
    ),
    _Known(
        r"DUPLICATE_VERSION_TITLE",
        "the product has a version of this title already",
        "argosy.toml, [marketplace.release]: another title",
    ),
    _Known(
        r"DUPLICATE_ASSET",
        "the model package is a version of the product already",
        "argosy.toml, [marketplace]: a new version, then argosy register",
    ),
    _Known(
        r"ASSET_NOT_FOUND|INVALID_ASSET_ARN",
        "AWS Marketplace cannot read the model package: another account or region, or the role may not describe it",
        "argosy register, and [marketplace.account] access_role: trusted by assets.marketplace.amazonaws.com",
    ),
    _Known(
        r"INVALID_ACCESS_ROLE",
        "AWS Marketplace cannot take the role that reads the package",
        "let assets.marketplace.amazonaws.com take it, and allow sagemaker:DescribeModelPackage: "
        "argosy kit writes both policies",
    ),
    _Known(
        r"INVALID_RECOMMENDED_INSTANCE_TYPE",
        "a recommended instance type is none of the package's",
        "argosy.toml, [marketplace.instances]: recommended_realtime and recommended_batch out of the lists",
    ),
    _Known(
        r"ResourceInUseException",
        "another change set of this product is under way",
        "wait until it has ended: argosy publish goes on where it was",
    ),
    _Known(
        r"CertifyForMarketplace|not certified",
        "the package was made without CertifyForMarketplace, or in a group of versions",
        "argosy register  (a package cannot be changed: it makes a new one)",
    ),
    _Known(
        r"arn:aws[a-z-]*:sagemaker:\S+ (does not exist|(was )?not found)|"
        r"(does not exist|Could not find|not found)[^.]* arn:aws[a-z-]*:sagemaker:",
        "a model package is found in its own region only, and each region's package has an ARN of its own",
        "take the ARN of this region, out of the map that argosy kit writes",
    ),
    _Known(
        r"[eE]ndpoint \S+ of account \S+ not found|Could not find endpoint",
        "there is no such endpoint in this region, and endpoints are found in their own only",
        "--region REGION, or argosy deploy ARN",
    ),
    _Known(
        r"Could not assume role|is not authorized to perform: iam:PassRole|[Cc]annot assume (the )?role",
        "there is no such role, it does not trust the service that is to take it, or it may not be handed on",
        "argosy kit  (it writes the role's trust and policy); iam:PassRole for it: argosy iam VERB",
    ),
    _Known(
        r"NoSuchBucket",
        "there is no such bucket, and none is made where none is asked for",
        "aws s3 mb s3://BUCKET --region REGION",
    ),
    _Known(
        r"CUDA driver|driver.*(insufficient|too old)|InferenceAmiVersion",
        "the container needs a newer GPU driver than the endpoint's machine image has",
        "argosy deploy ARN --inference-ami-version VERSION",
    ),
)


_UNANSWERED: Final = (
    _Known(
        r"NoCredentials|PartialCredentials|CredentialRetrieval|NoAuthToken",
        "boto3 finds no credentials for AWS on this machine",
        "aws configure, or aws sso login, or export AWS_PROFILE=NAME",
    ),
    _Known(
        r"SSO|TokenRetrieval|LoginRefresh",
        "the login at AWS has ended",
        "aws sso login",
    ),
    _Known(
        r"NoRegion|InvalidRegion",
        "there is no such region",
        "export AWS_REGION=us-east-1",
    ),
    _Known(
        r"EndpointConnection|ConnectTimeout|ConnectionClosed|ProxyConnection|SSLError",
        "AWS is not reached: no network, a proxy, a region that does not exist, or AWS_ENDPOINT_URL names nobody",
        "argosy doctor",
    ),
    _Known(
        r"ReadTimeout",
        "AWS took the call and did not answer in time; it may have done it",
        "run it again: it looks first what is there",
    ),
)

MAY_BE_DONE: Final = frozenset({"ReadTimeoutError", "ConnectionClosedError", "ResponseStreamingError"})
"""Classes of boto3's errors after which AWS may have done what it was asked."""


PASSING: Final = frozenset(
    {
        *("ConnectTimeoutError", "ConnectionClosedError", "EndpointConnectionError", "ReadTimeoutError"),
        *("Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException", "SlowDown"),
        *("InternalFailure", "InternalServerException", "ServiceUnavailable", "ServiceUnavailableException"),
    }
)
"""Codes, and classes of boto3's errors, of what may be over in a while: who looks again and again goes on looking."""


def unanswered(error: str) -> Refusal:
    """What is known about a call that AWS did not answer.

    Args:
        error: The class of boto3's error; its sentence may repeat a URL with a login.
    """
    for known in _UNANSWERED:
        if re.search(known.pattern, error):
            return Refusal(error, "", known.cause, known.remedy)
    return Refusal(error, "")


def explain(code: str, sentence: str) -> Refusal:
    """What is known about a refusal.

    Args:
        code: The service's code.
        sentence: The service's sentence, as it came.
    """
    if code in _UNSHOWN:
        return Refusal(
            code,
            "",
            "AWS does not take the credentials of this machine",
            "aws sts get-caller-identity, or log in again",
        )
    if code.isdigit():  # an HTTP status: who answered is no service of AWS's, and may repeat what it was sent
        sentence = ""
    shown = " ".join(_KEY.sub("***", sentence).split())[:_LONGEST]
    for known in _KNOWN:
        if re.search(known.pattern, f"{code}: {sentence}"):
            return Refusal(code, shown, known.cause, known.remedy)
    if code in DENIED:
        return Refusal(code, shown, "who the credentials belong to may not do it", None)
    return Refusal(code, shown)
