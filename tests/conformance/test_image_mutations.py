"""Each image has one thing wrong and fails exactly the clause that names it; a clean one fails none."""

from collections.abc import Mapping

import pytest

from argosy.conformance.check import Status
from argosy.conformance.profile import Profile
from argosy.contract import LABEL_BIDIRECTIONAL, LABEL_BIND_TO_PORT, LABEL_MULTI_MODEL
from argosy.image.image import OCI_LAYER_GZIP, OCI_MANIFEST, Image
from tests.conformance.image_findings import judge_image, with_env, with_files, with_runtime
from tests.conformance.images import CLEAN_FILES, CLEAN_RUNTIME, ELF_ARM64, SERVE, File, make_image
from tests.conformance.servers import failed_clauses
from tests.image.libraries.programs import AARCH64, program

PRIVATE_KEY = b"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n"
ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"


def with_history(step: str) -> Image:
    return make_image(config={"history": [{"created_by": step}]})


def entry_point(*words: str) -> Image:
    return make_image(
        {**CLEAN_FILES, words[0].lstrip("/"): File(CLEAN_FILES["usr/bin/env"].content)},
        {**CLEAN_RUNTIME, "Entrypoint": list(words)},
    )


def oci_manifest() -> Image:
    layers = [
        {"mediaType": OCI_LAYER_GZIP, "digest": layer.digest, "size": layer.size} for layer in make_image().layers
    ]
    return make_image(manifest={"mediaType": OCI_MANIFEST, "layers": layers})


DEFECTS: Mapping[str, tuple[Image, str]] = {
    "an OCI manifest": (oci_manifest(), "image-manifest"),
    "an index": (make_image(index=b"{}"), "image-manifest"),
    "arm64": (make_image(config={"architecture": "arm64"}), "image-platform"),
    "windows": (make_image(config={"os": "windows"}), "image-platform"),
    "no serve": (with_files(opt__program__serve=None), "image-serve"),
    "no execute bit": (with_files(opt__program__serve=File(SERVE, 0o644)), "image-serve"),
    "CRLF": (with_files(opt__program__serve=File(SERVE.replace(b"\n", b"\r\n"))), "image-serve"),
    "no first line": (with_files(opt__program__serve=File(b"import server\n")), "image-serve"),
    "no interpreter": (with_files(usr__bin__env=None), "image-serve"),
    "no python": (with_files(usr__bin__python3_dot_11=None), "image-serve"),
    "an ARM program": (with_files(opt__program__serve=File(ELF_ARM64)), "image-serve"),
    "no loader": (with_files(usr__bin__python3_dot_11=File(program(interpreter="/lib64/ld.so.2"))), "image-serve"),
    "an ARM loader": (
        with_files(
            usr__bin__python3_dot_11=File(program(interpreter="/lib64/ld.so.2")),
            lib64__ld_dot_so_dot_2=File(program(machine=AARCH64)),
        ),
        "image-serve",
    ),
    "an entry point that is not there": (with_runtime(Entrypoint=["/opt/server"]), "image-serve"),
    "shell form": (with_runtime(Entrypoint=["/bin/sh", "-c", "python3 server.py"]), "image-exec-form"),
    "tini": (entry_point("/usr/bin/tini", "--", "python3"), "image-init"),
    "docker-init": (entry_point("/sbin/docker-init", "--"), "image-init"),
    "a user": (with_runtime(User="model"), "image-root"),
    "a user by number": (with_runtime(User="1000:1000"), "image-root"),
    "a capability that is not `true`": (with_runtime(Labels={LABEL_BIND_TO_PORT: "yes"}), "image-labels"),
    "a capability in capitals": (with_runtime(Labels={LABEL_BIND_TO_PORT.title(): "true"}), "image-labels"),
    "a fixed SAGEMAKER_BATCH": (with_env("SAGEMAKER_BATCH=true"), "image-environment"),
    "another port": (with_env("SAGEMAKER_BIND_TO_PORT=9000"), "image-environment"),
    "an AWS profile": (with_env("AWS_PROFILE=seller"), "image-environment"),
    "a proxy": (with_env("https_proxy=http://proxy.test:3128"), "image-proxies"),
    "a volume over the artifacts": (with_runtime(Volumes={"/opt/ml/model": {}}), "image-volumes"),
    "a volume above them": (with_runtime(Volumes={"/data": {}, "/opt/ml": {}}), "image-volumes"),
    "a HEALTHCHECK": (with_runtime(Healthcheck={"Test": ["CMD", "curl", "localhost"]}), "image-healthcheck"),
    "a STOPSIGNAL": (with_runtime(StopSignal="SIGQUIT"), "image-stop-signal"),
    "another port exposed": (with_runtime(ExposedPorts={"5000/tcp": {}}), "image-port"),
    "an AWS key": (with_runtime(Env=[*CLEAN_RUNTIME["Env"], "KEY=AKIAIOSFODNN7EXAMPLE"]), "image-secrets"),
    "a token": (with_runtime(Env=[*CLEAN_RUNTIME["Env"], "HF_TOKEN=hf_abcdef"]), "image-secrets"),
    "a password in the history": (
        make_image(config={"history": [{"created_by": "RUN pip install -i https://me:pass@index.test/simple x"}]}),
        "image-secrets",
    ),
    "a build argument": (with_history("ARG API_KEY=s3cr3t-v4lu3"), "image-secrets"),
    "a build argument of a step": (
        with_history("RUN |1 API_KEY=s3cr3t-v4lu3 /bin/sh -c make # buildkit"),
        "image-secrets",
    ),
    "a private key": (with_files(app__key_dot_pem=File(PRIVATE_KEY, 0o600)), "image-secrets"),
    "a service account": (
        with_files(app__account_dot_json=File(b'{"private_key": "-----BEGIN PRIVATE KEY-----\\nMIIEvQ==\\n"}')),
        "image-secrets",
    ),
    "an AWS key in a file": (with_files(app__settings_dot_py=File(b"KEY = 'AKIAIOSFODNN7EXAMPLE'\n")), "image-secrets"),
    "an AWS key in a large file": (
        with_files(app__large_dot_txt=File(b"text " * 2**19 + b"AKIAIOSFODNN7EXAMPLE")),
        "image-secrets",
    ),
    "a version control folder": (with_files(**{"app__.git__HEAD": File(b"ref: refs/heads/x")}), "image-secrets"),
    "a password in the settings of pip": (
        with_files(**{"etc__pip.conf": File(b"[global]\nindex-url = https://me:pass@index.test/simple\n")}),
        "image-secrets",
    ),
    "deleted credentials": (
        make_image(
            {**CLEAN_FILES, "root/.aws/credentials": File(b"[default]", 0o600)},
            upper=({"root/.aws/.wh.credentials": File()},),
        ),
        "image-secrets",
    ),
    "a replaced key": (
        make_image({**CLEAN_FILES, "app/key.pem": File(PRIVATE_KEY)}, upper=({"app/key.pem": File(b"none")},)),
        "image-secrets",
    ),
    "credentials in a file": (with_files(**{"root__.aws__credentials": File(b"[default]", 0o600)}), "image-secrets"),
}


def test_a_clean_image_fails_nothing_and_decides_everything() -> None:
    findings = judge_image(make_image())
    skipped = {clause_id for clause_id, finding in findings.items() if finding.status is Status.SKIP}
    assert skipped == {"image-digest"}  # an image in memory has no reference
    assert {finding.status for finding in findings.values()} == {Status.PASS, Status.SKIP}


@pytest.mark.parametrize("defect", sorted(DEFECTS))
def test_a_defect_fails_exactly_its_own_clause(defect: str) -> None:
    image, clause_id = DEFECTS[defect]
    findings = judge_image(image)
    assert failed_clauses(findings) == {clause_id}
    assert findings[clause_id].verdict.evidence


@pytest.mark.parametrize(
    "image",
    [
        with_runtime(Entrypoint=["python3", "server.py"]),
        with_runtime(Entrypoint=["/opt/program/serve"]),
        with_runtime(Entrypoint=["program/serve"]),
        with_files(opt__program__serve=File(b"#!/bin/sh\nexec python3 server.py\n")),
        with_files(opt__program__serve=File(b"#!/usr/bin/env -S python3 -u\n")),
        with_runtime(User="root"),
        with_runtime(Labels={LABEL_BIND_TO_PORT: "true", LABEL_BIDIRECTIONAL: "false", "maintainer": "me"}),
        with_env("SAGEMAKER_BIND_TO_PORT=8080", "SAGEMAKER_PROGRAM=inference.py", "AWS_REGION=us-east-1"),
        with_env("no_proxy=localhost", "HTTP_PROXY="),
        with_runtime(Volumes={"/data": {}, "/opt/program": {}}, Healthcheck={"Test": ["NONE"]}, StopSignal="15"),
        with_runtime(ExposedPorts={"8080/tcp": {}, "9090/tcp": {}}),
        with_runtime(Env=[*CLEAN_RUNTIME["Env"], "API_KEY=", "LICENCE=AKIA"]),
        with_history("ARG API_KEY"),
        with_history("RUN --mount=type=secret,id=API_KEY /bin/sh -c API_KEY=$(cat /run/secrets/API_KEY) make"),
        with_history('RUN /bin/sh -c PASSWORD="$PASSWORD" make --password=x'),
        with_files(app__pem_dot_py=File(b'HEADER = "-----BEGIN PRIVATE KEY-----\\n" + body\n')),
        with_files(**{"opt__venv__lib__python3.11__site-packages__tornado__test__test.key": File(PRIVATE_KEY)}),
        with_files(**{"usr__lib__python3__dist-packages__boto__x.json": File(b'{"id": "AKIAIOSFODNN7EXAMPLE"}')}),
        with_files(**{"app__.gitignore": File(b"*.pyc"), "app__.git": File(b"gitdir: ../elsewhere")}),
        with_files(**{"app__.env.example": File(b"TOKEN=")}),
        with_files(app__weights_dot_bin=File(b"\0AKIAIOSFODNN7EXAMPLE")),
    ],
)
def test_what_only_looks_like_a_defect_fails_nothing(image: Image) -> None:
    assert failed_clauses(judge_image(image)) == set()


def test_the_manifest_of_a_daemon_is_not_decided_before_the_push() -> None:
    finding = judge_image(oci_manifest(), is_stored=False)["image-manifest"]
    assert finding.status is Status.UNKNOWN
    assert "push" in finding.verdict.reason


def test_an_init_that_aws_does_not_name_is_not_decided() -> None:
    finding = judge_image(entry_point("/usr/bin/dumb-init", "--"))["image-init"]
    assert finding.status is Status.UNKNOWN


@pytest.mark.parametrize("defect", sorted(name for name, (_, clause) in DEFECTS.items() if clause == "image-secrets"))
def test_a_secret_is_never_repeated(defect: str) -> None:
    report = str(judge_image(DEFECTS[defect][0])["image-secrets"].verdict)
    for secret in ("AKIAIOSFODNN7EXAMPLE", "hf_abcdef", "s3cr3t-v4lu3", "MIIE", "me:pass"):
        assert secret not in report


def test_a_secret_is_named_by_its_place() -> None:
    def reason(defect: str) -> str:
        return judge_image(DEFECTS[defect][0])["image-secrets"].verdict.reason

    assert reason("an AWS key") == "variable `KEY` holds an AWS access key"
    assert reason("a build argument") == "step 0 of the history holds a value of `API_KEY`, a secret by its name"
    assert reason("a private key") == "file `/app/key.pem` holds a private key"
    assert reason("deleted credentials").startswith(
        "file `/root/.aws/credentials` usually holds secrets; a later layer"
    )
    assert "replaces" in reason("a replaced key")


def test_a_variable_that_stands_in_the_history_too_is_named_once() -> None:
    image = make_image(
        runtime={**CLEAN_RUNTIME, "Env": ["HF_TOKEN=hf_abcdef"]},
        config={"history": [{"created_by": "ENV HF_TOKEN=hf_abcdef"}]},
    )
    assert judge_image(image)["image-secrets"].verdict.reason == "variable `HF_TOKEN` holds a secret by its name"


def test_a_capability_that_nobody_wrote_down_is_not_decided() -> None:
    image = with_runtime(Labels={"com.amazonaws.sagemaker.capabilities.telepathy": "true"})
    assert judge_image(image)["image-labels"].status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("profile", "clause_id", "label"),
    [
        (Profile.PIPELINE, "image-bind-to-port", LABEL_BIND_TO_PORT),
        (Profile.MULTI_MODEL, "image-multi-models", LABEL_MULTI_MODEL),
    ],
)
def test_a_profile_asks_for_the_label_of_its_capability(profile: Profile, clause_id: str, label: str) -> None:
    assert failed_clauses(judge_image(make_image(), profile=profile)) == {clause_id}
    assert failed_clauses(judge_image(with_runtime(Labels={label: "false"}), profile=profile)) == {clause_id}
    assert failed_clauses(judge_image(with_runtime(Labels={label: "true"}), profile=profile)) == set()


def test_a_credential_is_found_once_and_its_value_not_shown() -> None:
    findings = judge_image(with_env("AWS_SECRET_ACCESS_KEY=abc", "AWS_PROFILE=seller-of-mine"))
    assert failed_clauses(findings) == {"image-secrets", "image-environment"}
    assert len(findings["image-environment"].verdict.evidence) == 1
    assert "seller-of-mine" not in str(findings["image-environment"].verdict)


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("", Status.SKIP),
        ("oci:build/image:latest", Status.SKIP),
        ("docker-daemon:image:latest", Status.SKIP),
        ("docker://123456789012.dkr.ecr.us-east-1.amazonaws.com/iris:1", Status.FAIL),
        (f"docker://registry.test/iris@sha256:{'0' * 64}", Status.PASS),
        (f"docker://registry.test/{'i' * 200}@sha256:{'0' * 64}", Status.FAIL),
    ],
)
def test_a_reference_is_to_be_pinned_by_its_digest(target: str, status: Status) -> None:
    image = make_image()
    finding = judge_image(image, target=target)["image-digest"]
    assert finding.status is status
    if target.endswith("iris:1"):
        assert f"iris@{image.digest}" in finding.verdict.reason


def test_what_was_searched_for_secrets_is_said() -> None:
    image = make_image(upper=({"app/x": File(b"x")},))
    files = len([file for file in CLEAN_FILES.values() if not file.link]) + 1
    assert f"{files} files of 2 layers" in judge_image(image)["image-secrets"].verdict.reason
