"""Each image has one thing wrong with its programs and scripts, and fails exactly the clause that names it."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.conformance.check import Status
from argosy.conformance.profile import Profile
from argosy.image.image import Image
from tests.conformance.image_findings import changed, judge_image, with_env, with_files
from tests.conformance.images import CLEAN_RUNTIME, ELF_AMD64, File, make_image
from tests.conformance.servers import failed_clauses
from tests.image.libraries.programs import AARCH64, program

LOADER = "lib64/ld-linux-x86-64.so.2"
GLIBC = {LOADER: File(program()), "lib64/libc.so.6": File(program(defined=["GLIBC_2.2.5"], soname="libc.so.6"))}
NGINX = {"usr/sbin/nginx": File(ELF_AMD64)}


def linked(*needed: str, **other: object) -> File:
    """A program that is linked with these libraries."""
    return File(program(["libc.so.6", *needed], interpreter=f"/{LOADER}", **other))  # type: ignore[arg-type]  # keywords of several types


def script(text: str) -> File:
    return File(text.encode())


def served_by(text: str, files: Mapping[str, File] | None = None, **runtime: object) -> Image:
    """An image whose `serve` is this script."""
    return changed({"opt/program/serve": script(text), **(files or {})}, **runtime)


def shell(commands: str, files: Mapping[str, File] | None = None) -> Image:
    return served_by(f"#!/bin/sh\n{commands}\n", files)


def python(code: str, files: Mapping[str, File] | None = None) -> Image:
    return served_by(f"#!/usr/bin/env python3\n{code}\n", files)


def module(code: str) -> Image:
    """The clean image with a module beside `serve`."""
    return changed({"opt/program/server.py": script(code)})


def nginx(config: str) -> Image:
    """In AWS's manner: `serve` starts nginx with a file of the program's."""
    files = {**NGINX, "opt/program/nginx.conf": script(config)}
    return python("subprocess.Popen(['nginx', '-c', '/opt/program/nginx.conf'])", files)


SERVER = "http {{ server {{ listen 8080; {} location /invocations {{ {} proxy_pass http://gunicorn; }} }} }}"
BODY = "client_max_body_size 100m;"

DEFECTS: Mapping[str, tuple[Image, str]] = {
    "a program without its library": (
        changed({**GLIBC, "usr/bin/python3.11": linked("libexpat.so.1")}),
        "image-libraries",
    ),
    "a library without its own": (
        changed(
            {
                **GLIBC,
                "usr/bin/python3.11": linked("libssl.so.3"),
                "usr/lib/libssl.so.3": File(program(["libcrypto.so.3"])),
            }
        ),
        "image-libraries",
    ),
    "a libc that is too old": (
        changed({**GLIBC, "usr/bin/python3.11": linked(required={"libc.so.6": ["GLIBC_2.99"]})}),
        "image-libraries",
    ),
    "a tool without its library": (
        changed({**GLIBC, "usr/local/bin/convert": linked("libpng16.so.16")}),
        "image-other-libraries",
    ),
    "an extension for another processor": (
        with_files(
            **{
                "opt__venv__lib__python3.11__site-packages__fast.cpython-311-x86_64-linux-gnu.so": File(
                    program(machine=AARCH64)
                )
            }
        ),
        "image-other-libraries",
    ),
    "a driver": (with_files(usr__lib__libcuda_dot_so_dot_1=File(b"driver")), "image-gpu-driver"),
    "nvidia-smi": (with_files(**{"usr__bin__nvidia-smi": File(b"driver")}), "image-gpu-driver"),
    "no CUDA": (
        changed({"opt/program/kernels.so": File(program(["libcudart.so.12", "libcuda.so.1"]))}),
        "image-gpu-toolkit",
    ),
    "a driver that is newer than some": (
        with_env("NVIDIA_REQUIRE_CUDA=cuda>=12.4 brand=tesla,driver>=535"),
        "image-gpu-requirement",
    ),
    "baked artifacts": (with_files(opt__ml__model__weights_dot_bin=File(b"weights")), "image-hidden-files"),
    "a baked configuration": (
        with_files(opt__ml__input__config__hyperparameters_dot_json=File(b"{}")),
        "image-hidden-files",
    ),
    "pip at the start": (shell("pip install -r requirements.txt\nexec python3 server.py"), "image-downloads"),
    "pip in Python": (
        python("subprocess.check_call([sys.executable, '-m', 'pip', 'install', 'torch'])"),
        "image-downloads",
    ),
    "curl at the start": (shell("curl -sSL -o /tmp/model https://models.test/model"), "image-downloads"),
    "a script that the start runs": (
        shell("/opt/tools/fetch.sh\n", {"opt/tools/fetch.sh": script("wget https://models.test/model\n")}),
        "image-downloads",
    ),
    "a model of the hub": (module("model = AutoModel.from_pretrained(\n    'bert-base-uncased')\n"), "image-downloads"),
    "a file of the hub": (module("path = hf_hub_download(repo_id=NAME, filename='x')\n"), "image-downloads"),
    "a corpus": (module("nltk.download('punkt')\n"), "image-downloads"),
    "torch.hub": (module("torch.hub.load('pytorch/vision', 'resnet18')\n"), "image-downloads"),
    "S3": (module("s3 = boto3.client('s3')\n"), "image-downloads"),
    "weights by HTTP": (module("requests.get(\n    'https://models.test/model')\n"), "image-downloads"),
    "gunicorn's own timeout": (shell("exec gunicorn --bind 0.0.0.0:8080 app:app"), "image-gunicorn-timeout"),
    "a short timeout": (
        changed(
            {"usr/bin/gunicorn": File(ELF_AMD64)},
            Entrypoint=["/usr/bin/gunicorn", "--timeout=20", "-b", "0.0.0.0:8080", "app:app"],
        ),
        "image-gunicorn-timeout",
    ),
    "a short timeout in the settings": (
        shell(
            "gunicorn -c /opt/program/conf.py app:app",
            {"opt/program/conf.py": script("workers = 2\ntimeout = 45  # s")},
        ),
        "image-gunicorn-timeout",
    ),
    "gunicorn under a supervisor": (
        shell(
            "exec supervisord -c /etc/supervisor/supervisord.conf",
            {"etc/supervisor/conf.d/app.conf": script("[program:app]\ncommand=/usr/bin/gunicorn app:app\n")},
        ),
        "image-gunicorn-timeout",
    ),
    "a short timeout in Python": (
        python("subprocess.Popen([\n    'gunicorn', '-t', '30', '-k', 'sync', 'wsgi:app'\n])"),
        "image-gunicorn-timeout",
    ),
    "a short timeout by default": (
        python("T = os.environ.get('TIMEOUT', 20)\nsubprocess.Popen(['gunicorn', '--timeout', str(T), 'wsgi:app'])"),
        "image-gunicorn-timeout",
    ),
    "Flask's own server": (
        python("app = Flask(__name__)\nif __name__ == '__main__':\n    app.run(host='0.0.0.0', port=8080)"),
        "image-dev-server",
    ),
    "flask run": (shell("FLASK_APP=app flask run --host 0.0.0.0 --port 8080"), "image-dev-server"),
    "flask run by Python": (shell("exec python3 -m flask --app app run"), "image-dev-server"),
    "runserver": (shell("python3 manage.py runserver 0.0.0.0:8080"), "image-dev-server"),
    "print into a buffer": (python("print('ready')"), "image-unbuffered"),
    "nginx's own body": (nginx(SERVER.format("", "")), "image-nginx-body"),
    "a small body": (nginx(SERVER.format("client_max_body_size 5m;", "")), "image-nginx-body"),
    "a small body in an included file": (
        shell(
            "nginx -g 'daemon off;'",
            {
                **NGINX,
                "etc/nginx/nginx.conf": script("http { include /etc/nginx/conf.d/*.conf; }"),
                "etc/nginx/conf.d/default.conf": script("server { client_max_body_size 10M; }"),
            },
        ),
        "image-nginx-body",
    ),
    "an impatient nginx": (nginx(SERVER.format(BODY, "proxy_read_timeout 30s;")), "image-nginx-timeout"),
    "no os-release": (with_files(**{"etc__os-release": None}), "image-os-release"),
    "an unknown distribution": (with_files(**{"etc__os-release": File(b"ID=plan9\n")}), "image-os-release"),
}


@pytest.mark.parametrize("defect", sorted(DEFECTS))
def test_a_defect_fails_exactly_its_own_clause(defect: str) -> None:
    image, clause_id = DEFECTS[defect]
    findings = judge_image(image)
    assert failed_clauses(findings) == {clause_id}
    assert findings[clause_id].verdict.evidence


@pytest.mark.parametrize(
    "image",
    [
        changed({**GLIBC, "usr/bin/python3.11": linked()}),
        # On Alpine: musl's loader is libc, and looks into /usr/local/lib.
        changed(
            {
                "lib/ld-musl-x86_64.so.1": File(program(soname="libc.musl-x86_64.so.1")),
                "usr/bin/python3.11": File(
                    program(["libpython3.11.so.1.0", "libc.so.6"], interpreter="/lib/ld-musl-x86_64.so.1")
                ),
                "usr/local/lib/libpython3.11.so.1.0": File(program(["libc.musl-x86_64.so.1", "libm.so.6"])),
            }
        ),
        with_files(usr__lib__debug__python3=File(program(["libnowhere.so.1"]))),
        with_files(usr__lib__plugins__libodd_dot_so=File(program(["libnowhere.so.1"]))),
        with_files(usr__local__cuda__compat__libcuda_dot_so_dot_1=File(b"toolkit")),
        with_files(**{"usr__bin__nvidia-smi": File(b"")}),
        with_env("NVIDIA_REQUIRE_CUDA=cuda>=12.4", "NVIDIA_DISABLE_REQUIRE=1"),
        with_env("NVIDIA_REQUIRE_CUDA=cuda>=12.2 brand=tesla,cuda>=11.0"),
        with_files(opt__ml__code__inference_dot_py=File(b"x = 1\n")),
        module("# AutoModel.from_pretrained('bert-base-uncased')\nmodel = AutoModel.from_pretrained(model_dir)\n"),
        module("AutoModel.from_pretrained('/opt/ml/model')\nAutoModel.from_pretrained('./weights')\n"),
        module("AutoModel.from_pretrained('bert', local_files_only=True)\nrequests.get('http://localhost:8080/ping')\n"),
        module("torch.hub.load('/opt/repo', 'resnet18', source='local')\nrequests.get(url)\n"),
        changed({"opt/program/server.py": script("AutoModel.from_pretrained('org/m')\n"), "root/.cache/x": None},
                Env=[*CLEAN_RUNTIME["Env"], "HF_HUB_OFFLINE=1"]),
        changed({"opt/program/server.py": script("AutoModel.from_pretrained('org/m')\n"),
                 "opt/cache/models--org--m/x": File(b"x")}),
        changed({"opt/program/train": script("#!/bin/sh\npip install x\n"),
                 "opt/program/tests/test_x.py": script("nltk.download('x')\n"),
                 "opt/venv/lib/python3.11/site-packages/nltk/x.py": script("nltk.download('x')\n"),
                 "opt/elsewhere/x.py": script("nltk.download('x')\n")}),
        shell("curl --fail http://localhost:8080/ping\npip install --no-index --find-links /wheels x"),
        shell("exec gunicorn -b 0.0.0.0:8080 --timeout 60 app:app"),
        shell("exec gunicorn -b 0.0.0.0:8080 \\\n    -t 0 app:app"),
        shell("exec gunicorn --timeout ${TIMEOUT:-60} app:app"),
        python("T = os.environ.get('TIMEOUT', 60)\nsubprocess.Popen(['gunicorn', '--timeout', str(T), 'wsgi:app'])"),
        python("T = '120'\nsubprocess.Popen(['gunicorn', '--timeout', T, 'wsgi:app'])"),
        served_by("#!/bin/sh\ngunicorn -t ${TIMEOUT:-5} app:app\n", Env=[*CLEAN_RUNTIME["Env"], "TIMEOUT=90"]),
        shell("exec gunicorn -k gthread --threads 4 app:app"),
        shell("exec gunicorn -k uvicorn.workers.UvicornWorker --timeout 10 app:app"),
        shell("exec gunicorn app:app", {"opt/gunicorn.conf.py": script("timeout = 3600\n")}),
        shell("pkill gunicorn\necho gunicorn is gone\npip install --no-index gunicorn"),
        python("from gunicorn.app.wsgiapp import run"),
        changed({"opt/program/app.py": script("app = Flask(__name__)\nif __name__ == '__main__':\n    app.run()\n")}),
        shell("exec uvicorn app:app --port 8080"),
        python("print('ready', flush=True)"),
        python("print(\n    'ready',\n    file=sys.stderr,\n)"),
        changed({"opt/program/env/pyvenv.cfg": File(b"home = /usr/bin\n"),
                 "opt/program/env/bin/fetch": script("#!/bin/sh\npip install x\n")}),
        served_by("#!/usr/bin/env -S python3 -u\nprint('ready')\n"),
        served_by("#!/usr/bin/env python3\nprint('x')\n", Env=[*CLEAN_RUNTIME["Env"], "PYTHONUNBUFFERED=1"]),
        shell("export PYTHONUNBUFFERED=1\nexec python3 /opt/program/server.py",
              {"opt/program/server.py": script("print('x')\n")}),
        nginx(SERVER.format(BODY, "proxy_read_timeout 1h;")),
        nginx(SERVER.format("client_max_body_size 0;", "")),
        nginx(SERVER.format("client_max_body_size 30m; # client_max_body_size 1m;", "")),
        changed({**NGINX, "etc/nginx/nginx.conf": script("http { server { } }")}),
        with_files(**{"etc__os-release": None, "usr__lib__os-release": File(b'ID="amzn"\n')}),
    ],
)  # fmt: skip
def test_what_only_looks_like_a_defect_fails_nothing(image: Image) -> None:
    findings = judge_image(image)
    assert failed_clauses(findings) == set(), [f.verdict for f in findings.values() if f.status is Status.FAIL]


@pytest.mark.parametrize(
    ("image", "clause_id"),
    [
        (
            changed(
                {
                    "opt/glibc/lib/ld-linux-x86-64.so.2": File(program()),
                    "usr/bin/python3.11": File(
                        program(["libz.so.1"], interpreter="/opt/glibc/lib/ld-linux-x86-64.so.2")
                    ),
                }
            ),
            "image-libraries",
        ),
        (shell('exec gunicorn --timeout "$TIMEOUT" app:app'), "image-gunicorn-timeout"),
        (python("subprocess.Popen(['gunicorn', '--timeout', str(timeout), 'wsgi:app'])"), "image-gunicorn-timeout"),
        (shell("gunicorn -c /etc/gunicorn/missing.py app:app"), "image-gunicorn-timeout"),
        (shell("exec nginx", NGINX), "image-nginx-body"),
        (nginx(SERVER.format("client_max_body_size ${SIZE};", "")), "image-nginx-body"),
        (nginx(SERVER.format(BODY, "proxy_read_timeout ${TIME};")), "image-nginx-timeout"),
        (module("print('x')\n"), "image-unbuffered"),
        (
            changed(
                {
                    "opt/program/kernels.so": File(program(["libcudart.so.12"])),
                    "usr/lib/libcudart.so.12": File(program()),
                }
            ),
            "image-gpu-toolkit",
        ),
        (with_files(**{"etc__os-release": File(b"ID=rocky\nVERSION_ID=9\n")}), "image-os-release"),
    ],
)
def test_what_the_files_do_not_tell_is_not_decided(image: Image, clause_id: str) -> None:
    findings = judge_image(image)
    assert findings[clause_id].status is Status.UNKNOWN, findings[clause_id].verdict
    assert failed_clauses(findings) == set()


def test_a_finding_names_file_and_line() -> None:
    def reason(defect: str) -> str:
        image, clause_id = DEFECTS[defect]
        return judge_image(image)[clause_id].verdict.reason

    assert reason("pip at the start").startswith("/opt/program/serve:2: pip installs")
    assert reason("a model of the hub") == "/opt/program/server.py:1: from_pretrained `bert-base-uncased`"
    assert reason("a short timeout in Python").startswith("/opt/program/serve:3: ")
    assert reason("Flask's own server").startswith("/opt/program/serve:4: ")
    assert reason("a small body").startswith("/opt/program/nginx.conf:1: ")
    assert reason("a script that the start runs").startswith("/opt/tools/fetch.sh:1: ")


@pytest.mark.parametrize(
    ("files", "is_open"),
    [
        ({}, True),
        ({"opt/program/server.py": File(b"x = 1\n", 0o640)}, False),
        ({"opt/program/serve": File(b"#!/usr/bin/env python3\n", 0o744)}, False),
        ({"opt/elsewhere/key": File(b"x", 0o600)}, True),
    ],
)
def test_a_serverless_endpoint_does_not_run_as_root(files: Mapping[str, File], is_open: bool) -> None:
    failed = failed_clauses(judge_image(changed(files), profile=Profile.SERVERLESS))
    assert failed == (set() if is_open else {"image-readable"})


def test_what_cannot_be_started_has_one_finding() -> None:
    findings = judge_image(shell("pip install x", {"bin/sh": File(b"", 0o644), "usr/bin/sh": File(b"", 0o644)}))
    assert failed_clauses(findings) == {"image-serve"}
    assert findings["image-downloads"].status is Status.SKIP


def test_an_image_without_files_of_its_own_is_judged() -> None:
    assert failed_clauses(judge_image(make_image({}))) == {"image-serve", "image-os-release"}


SAID = (
    "gunicorn nginx --timeout -c /opt/program/nginx.conf exec ( ) [ ' \" ; include client_max_body_size { } pip install"
    " from_pretrained( print( # ${X:-5} * \n \\\n"
)
WORDS = st.sampled_from(SAID.split(" "))


@given(st.lists(WORDS | st.text(max_size=5), max_size=30), st.booleans())
@settings(max_examples=40, deadline=None)
def test_no_text_breaks_a_check(words: list[str], is_python: bool) -> None:
    text = " ".join(words)
    first = "#!/usr/bin/env python3" if is_python else "#!/bin/sh"
    script = File(f"{first}\n{text}\n".encode("utf-8", "replace"))
    config = File(text.encode("utf-8", "replace"))
    image = changed({**NGINX, "opt/program/serve": script, "opt/program/nginx.conf": config})
    for finding in judge_image(image).values():
        assert "the check itself failed" not in finding.verdict.reason
