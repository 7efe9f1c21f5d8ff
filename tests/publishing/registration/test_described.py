import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.publishing.registration.described import differences, failure_reasons, progress

REQUEST: dict[str, Any] = {
    "ModelPackageName": "rows-1-0-0",
    "InferenceSpecification": {
        "Containers": [{"Image": "repository@sha256:1"}],
        "SupportedContentTypes": ["text/csv", "application/json"],
    },
    "CertifyForMarketplace": True,
    "ClientToken": "x",
}
FOUND: dict[str, Any] = {
    "ModelPackageName": "rows-1-0-0",
    "ModelPackageArn": "arn",
    "InferenceSpecification": {
        "Containers": [{"Image": "repository@sha256:1", "ImageDigest": "sha256:1"}],
        "SupportedContentTypes": ["text/csv", "application/json"],
    },
    "CertifyForMarketplace": True,
    "ModelPackageStatus": "Completed",
}


def test_what_sagemaker_adds_is_no_difference() -> None:
    assert list(differences(REQUEST, FOUND)) == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("CertifyForMarketplace", False, "CertifyForMarketplace: False, and True was asked for"),
        ("ModelPackageDescription", "x", "ModelPackageDescription: there, and not asked for"),
        (
            "InferenceSpecification/Containers/0/ModelDataUrl",
            "s3://x",
            "InferenceSpecification.Containers[0].ModelDataUrl: there, and not asked for",
        ),
        (
            "InferenceSpecification/SupportedContentTypes/1",
            "text/xml",
            "InferenceSpecification.SupportedContentTypes[1]: 'text/xml', and 'application/json' was asked for",
        ),
    ],
)
def test_what_it_says_otherwise_is_named(path: str, value: object, said: str) -> None:
    found: Any = copy.deepcopy(FOUND)
    *folders, last = path.split("/")
    inner = found
    for folder in folders:
        inner = inner[int(folder)] if folder.isdigit() else inner[folder]
    inner[int(last) if last.isdigit() else last] = value
    assert list(differences(REQUEST, found)) == [said]


JSON = st.recursive(
    st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1, max_size=3), JSON, max_size=4))
def test_a_description_of_the_request_itself_never_differs(request: dict[str, Any]) -> None:
    assert list(differences(request, {**copy.deepcopy(request), "more": 1})) == []


def test_reasons_and_progress_are_in_one_line_each() -> None:
    details = {
        "ValidationStatuses": [{"Name": "validation-1", "Status": "Failed", "FailureReason": "it crashed"}],
        "ImageScanStatuses": [{"Name": "image", "Status": "NotStarted"}],
    }
    package = {"ModelPackageStatus": "Failed", "ModelPackageStatusDetails": details}
    assert failure_reasons(package) == ["validation validation-1: it crashed"]
    assert progress(package) == "Failed, validation Failed, image scan NotStarted"
    assert progress({"ModelPackageStatus": "Pending"}) == "Pending"
