"""Each image has one thing wrong and fails exactly the clause that names it; a clean one fails none."""

from collections.abc import Mapping

import pytest

from argosy.conformance.case import Case
from argosy.conformance.catalogue import CLAUSES
from argosy.conformance.check import Status
from argosy.conformance.finding import Finding
from argosy.conformance.observing.at_rest import files_of
from argosy.conformance.run import judge
from argosy.conformance.scenes.at_rest import Archive, Still
from argosy.contract import Level
from argosy.image.image import OCI_LAYER_GZIP, OCI_MANIFEST, Image
from argosy.model_archive import Fault
from tests.conformance.images import CLEAN_FILES, CLEAN_RUNTIME, ELF_ARM64, SERVE, File, make_image
from tests.conformance.servers import failed_clauses

PRIVATE_KEY = b"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n"
ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"


def judge_image(image: Image, *, is_stored: bool = True) -> Mapping[str, Finding]:
    case = Case.of(Still(image, is_stored), files_of(image), Archive("model.tar.gz", ()))
    return {finding.clause.id: finding for finding in judge(case) if finding.group == "image"}


def with_files(**replaced: File | None) -> Image:
    """The clean image with files replaced, or removed where None; `__` stands for a slash, `_dot_` for a dot."""
    changed = {path.replace("__", "/").replace("_dot_", "."): file for path, file in replaced.items()}
    files = {path: file for path, file in {**CLEAN_FILES, **changed}.items() if file is not None}
    return make_image(files)


def with_runtime(**fields: object) -> Image:
    return make_image(runtime={**CLEAN_RUNTIME, **fields})


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
    "an entry point that is not there": (with_runtime(Entrypoint=["/opt/server"]), "image-serve"),
    "shell form": (with_runtime(Entrypoint=["/bin/sh", "-c", "python3 server.py"]), "image-exec-form"),
    "tini": (entry_point("/usr/bin/tini", "--", "python3"), "image-init"),
    "docker-init": (entry_point("/sbin/docker-init", "--"), "image-init"),
    "a user": (with_runtime(User="model"), "image-root"),
    "a user by number": (with_runtime(User="1000:1000"), "image-root"),
    "a driver": (with_files(usr__lib__libcuda_dot_so_dot_1=File(b"driver")), "image-gpu-driver"),
    "nvidia-smi": (with_files(**{"usr__bin__nvidia-smi": File(b"driver")}), "image-gpu-driver"),
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
    assert {finding.status for finding in findings.values()} == {Status.PASS}


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
        with_files(usr__local__cuda__compat__libcuda_dot_so_dot_1=File(b"toolkit")),
        with_files(**{"usr__bin__nvidia-smi": File(b"")}),
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


def test_what_was_searched_for_secrets_is_said() -> None:
    image = make_image(upper=({"app/x": File(b"x")},))
    files = len([file for file in CLEAN_FILES.values() if not file.link]) + 1
    assert f"{files} files of 2 layers" in judge_image(image)["image-secrets"].verdict.reason


def test_an_archive_that_would_not_unpack_fails_and_a_remark_does_not() -> None:
    link = Fault("weights", "a symbolic link", "pack the file itself", Level.MUST)
    remark = Fault("model/", "an extra top folder", "pack what is in it", Level.SHOULD)
    broken, remarked = (
        {finding.clause.id: finding for finding in judge(Case.of(Archive("model.tar.gz", faults)))}
        for faults in ((link, remark), (remark,))
    )
    assert broken["model-archive"].status is Status.FAIL
    assert "weights" in broken["model-archive"].verdict.reason
    assert len(broken["model-archive"].verdict.evidence) == 2
    assert remarked["model-archive"].status is Status.PASS


def test_every_clause_on_the_image_at_rest_has_a_defect_that_breaks_it() -> None:
    broken = {clause_id for _, clause_id in DEFECTS.values()}
    assert {clause_id for clause_id in CLAUSES if clause_id.startswith("image-")} == broken
