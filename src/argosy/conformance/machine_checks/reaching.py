"""What this machine needs beside engines: AWS, a clock that is right, libraries, scanners, a way past proxies."""

from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, unknown
from argosy.conformance.clause import fact, must, should
from argosy.conformance.scenes.machine import Caller, Clock, Cloud, Proxies, Software
from argosy.conformance.sources import MARKETPLACE_UPLOAD

SKEW_S: Final = 300.0
"""A request has to reach AWS within five minutes of the moment in its signature.

Source: the page `_SIGNING` (read 2026-11-23).
"""
_ONLINE: Final = "--online"

_SIGNING: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-signing.html"
_GUIDE: Final = "https://docs.aws.amazon.com/boto3/latest/guide"
_IDENTITY: Final = "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"
_PACKAGING: Final = "https://packaging.python.org/en/latest/specifications/dependency-specifiers/"
_PROXIES: Final = "https://www.python-httpx.org/environment_variables/"


def _sdk(cloud: Cloud) -> Verdict:
    if not cloud.is_installed:
        return failed("boto3 is not installed")
    return failed("AWS's files cannot be read", Evidence("~/.aws", cloud.fault)) if cloud.fault else passed("boto3")


def _credentials(cloud: Cloud) -> Verdict:
    if cloud.source:
        return passed(f"from `{cloud.source}`")
    return failed("none were found; a role of this machine itself is not looked for")


def _region(cloud: Cloud) -> Verdict:
    return passed(cloud.region) if cloud.region else failed("none is set")


def _caller(caller: Caller) -> Verdict:
    seen = Evidence("sts GetCallerIdentity", caller.arn or caller.refusal, round(caller.seconds, 3))
    return passed(caller.arn, seen) if caller.arn else failed("AWS did not say who this is", seen)


def _clock(clock: Clock) -> Verdict:
    if clock.skew_s is not None:
        where = "ahead of" if clock.skew_s > 0 else "behind"
        seen = Evidence(f"HEAD {clock.asked}", f"its Date is {abs(clock.skew_s):.0f} s off")
        if abs(clock.skew_s) > SKEW_S:
            return failed(f"it is {abs(clock.skew_s):.0f} s {where} AWS's", seen)
        return passed("it agrees with AWS's", seen)
    asked = (Evidence(f"HEAD {clock.asked}", clock.refusal),) if clock.asked else ()
    if clock.is_synchronised:
        return passed("the kernel says that it is kept right", *asked)
    decide = "" if clock.asked else _ONLINE
    if clock.is_synchronised is None:
        return unknown("this machine does not tell whether it is kept right", *asked, decide=decide)
    return unknown("no time service keeps it right, unless this machine's host does", *asked, decide=decide)


def _toolkit(software: Software) -> Verdict:
    if software.missing:
        listed = "; ".join(software.missing)
        return failed(f"{len(software.missing)} of its libraries are not as they should be", Evidence("pip", listed))
    return passed(f"Argosy {software.argosy} on Python {software.python}")


def _extras(software: Software) -> Verdict:
    return passed(", ".join(f"{name} {'yes' if is_there else 'no'}" for name, is_there in software.extras) or "none")


def _scanner(software: Software) -> Verdict:
    if software.scanners:
        return passed(", ".join(f"`{name}`" for name in software.scanners))
    return failed("neither `trivy` nor `grype` is on the PATH")


def _proxies(proxies: Proxies) -> Verdict:
    if not proxies.variables:
        return passed("no proxy is set")
    seen = Evidence(", ".join(f"{name}={host}" for name, host in proxies.variables), "set in the environment")
    if proxies.spares_loopback:
        return passed("NO_PROXY spares 127.0.0.1", seen)
    return failed("NO_PROXY does not spare 127.0.0.1", seen)


_SDK: Final[Group[Cloud]] = Group("aws", Cloud)
_CALLER: Final[Group[Caller]] = Group("aws", Caller)
_CLOCK: Final[Group[Clock]] = Group("aws", Clock)
_SOFTWARE: Final[Group[Software]] = Group("software", Software)
_PROXY: Final[Group[Proxies]] = Group("software", Proxies)

CHECKS: Final[tuple[Check[Cloud] | Check[Caller] | Check[Clock] | Check[Software] | Check[Proxies], ...]] = (
    _SDK.check(
        should(
            "sdk",
            f"{_GUIDE}/configuration.html",
            "AWS's SDK for Python is installed and can read its files.",
            "pip install 'argosy[aws]', and mend ~/.aws/config where it cannot be read",
        ),
        _sdk,
    ),
    _SDK.check(
        should(
            "credentials",
            f"{_GUIDE}/credentials.html",
            "There are AWS credentials; pushing to ECR and publishing need them, building and checking do not.",
            "aws configure sso, or export AWS_PROFILE=NAME",
        ),
        _credentials,
        "sdk",
    ),
    _SDK.check(
        should(
            "region",
            f"{_GUIDE}/configuration.html",
            "A region is set: repository, bucket and package have to be in one.",
            "export AWS_DEFAULT_REGION=us-east-1",
        ),
        _region,
        "sdk",
    ),
    _CALLER.check(
        must(
            "identity",
            _IDENTITY,
            "AWS knows whom the credentials belong to.",
            "aws sts get-caller-identity  (it fails for the same reason); log in anew where a session has expired",
        ),
        _caller,
        "sdk",
        "credentials",
    ),
    _CLOCK.check(
        must(
            "clock",
            _SIGNING,
            "The clock is right to five minutes: AWS refuses what is signed at another time.",
            "sudo timedatectl set-ntp true",
        ),
        _clock,
    ),
    _SOFTWARE.check(
        must(
            "toolkit",
            _PACKAGING,
            "Every library that the toolkit needs is installed, in a version that it can use.",
            "pip install --upgrade 'argosy[toolkit]'",
        ),
        _toolkit,
    ),
    _SOFTWARE.check(
        fact(
            "extras",
            _PACKAGING,
            "Argosy's extras, and which of them are installed.",
            "pip install 'argosy[toolkit,aws]'",
        ),
        _extras,
    ),
    _SOFTWARE.check(
        should(
            "scanner",
            MARKETPLACE_UPLOAD,
            "A scanner for known vulnerabilities is installed: AWS Marketplace scans each image, too.",
            "install one (https://trivy.dev, https://oss.anchore.com); argosy build --scan high",
        ),
        _scanner,
    ),
    _PROXY.check(
        should(
            "proxy-loopback",
            _PROXIES,
            "Where a proxy is set, this machine itself is reached without it.",
            "export NO_PROXY=127.0.0.1,localhost",
        ),
        _proxies,
    ),
)
