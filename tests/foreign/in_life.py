"""Images with one thing wrong that is seen while they run."""

from collections.abc import Mapping
from typing import Final

from argosy.conformance.probes import invocation
from argosy.simulator.containers.instance_types import InstanceType
from tests.foreign.mutation import Change, Mutant, edit

_ROWS: Final = invocation("text/csv", b"1.0,2.0,3.0,4.0\n" * 15, "sample")
_SMALL: Final = InstanceType("ml.small.test", 2, 512 * 2**20, 64 * 2**20)
_PATH: Final = "PATH=/opt/program:/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NEVER_HEALTHY_S: Final = 8.0
"""Long enough to listen on a machine that is busy, too."""

_LOADING: Final = "    model.update("
_PING: Final = '@app.get("/ping")'
_ONE_HOST: Final = """from starlette.middleware.trustedhost import TrustedHostMiddleware

app.add_middleware(TrustedHostMiddleware, allowed_hosts=["model.aws.local"])


"""
_CALLS_HOME: Final = """    import urllib.request
    urllib.request.urlopen("https://huggingface.co/api/models/x", timeout=5)
"""
_SHARES_WEIGHTS: Final = """    try:
        Path("/dev/shm/weights").write_bytes(b"w" * 100 * 2**20)
    except OSError as error:
        raise RuntimeError(f"cannot share /dev/shm/weights: {error.strerror}") from error
"""
_REFUSES_HEADERS: Final = """    if any(name.startswith("x-") for name in request.headers):
        raise HTTPException(400, "unknown headers")
"""
_DECODES: Final = "    rows = decode("
_REFUSES_JOBS: Final = """  if (process.env.SAGEMAKER_BATCH) return answer(response, 501)
"""
_REFUSES_CLIENTS: Final = """  if (request.headers['user-agent'] === 'Go-http-client/1.1') return answer(response, 403)
"""
_WORKS_FOR_LONG: Final = """  for (const end = Date.now() + 800; Date.now() < end;);
"""


def _fastapi(old: str, new: str) -> Mapping[str, Change]:
    return {"app/app.py": edit((old, new))}


def _node(old: str, new: str) -> Mapping[str, Change]:
    return {"srv/server.js": edit((old, new))}


def _flask(old: str, new: str) -> Mapping[str, Change]:
    return {"opt/program/predictor.py": edit((old, new))}


def _before(line: str, *lines: str) -> tuple[str, str]:
    """The change that puts lines before one that is there."""
    return line, "".join(lines) + line


MUTANTS: Final[Mapping[str, Mutant]] = {
    "F04 on loopback alone": Mutant(
        "fastapi", "start-port", "F04 C04", {"app/serve": edit(("0.0.0.0", "127.0.0.1"))}, startup_s=4
    ),
    "F04 on another port": Mutant("node", "start-port", "F04 C04", _node("8080", "5000"), startup_s=4),
    "F04 another entry point": Mutant("node", "start-port", "F04", runtime={"Entrypoint": ["node", "/srv/index.js"]}),
    "F04 no /ping": Mutant("node", "start-healthy", "F04", _node("'/ping'", "'/health'"), startup_s=_NEVER_HEALTHY_S),
    "F04 a model that loads for too long": Mutant(
        "nginx-flask",
        "start-healthy",
        "F04 C06",
        _flask(*_before("app = flask", "import time\n\ntime.sleep(3600)\n")),
        startup_s=_NEVER_HEALTHY_S,
    ),
    "F04 hosts of its own": Mutant("fastapi", "ping-any-host", "F04 C12", _fastapi(*_before(_PING, _ONE_HOST))),
    "F05 nginx without gunicorn": Mutant(
        "nginx-flask",
        "start-healthy",
        "F05",
        {
            "opt/program/wsgi.py": edit(("import predictor", "import predictors")),
            "opt/program/serve": edit((", gunicorn.pid):", ",):")),
        },
        startup_s=_NEVER_HEALTHY_S,
    ),
    "F06 gunicorn's clock": Mutant(
        "nginx-flask",
        "worker-timeout",
        "F06",
        _flask(*_before("        model = cls", "        import time\n\n        time.sleep(0.2 * len(rows))\n")),
        runtime={"Env": [_PATH, "PYTHONUNBUFFERED=1", "MODEL_SERVER_TIMEOUT=1", "MODEL_SERVER_WORKERS=4"]},
        samples=(_ROWS,),
    ),
    "F07 more memory than there is": Mutant(
        "fastapi",
        "instance-type-memory",
        "F07",
        _fastapi(*_before(_LOADING, '    app.state.weights = b"w" * 700 * 2**20\n')),
        instance_type=_SMALL,
    ),
    "F08 a download at start": Mutant(
        "fastapi", "start-offline", "F08 N01 N02", _fastapi(*_before(_LOADING, _CALLS_HOME))
    ),
    "F10 nginx takes 5 MB": Mutant(
        "nginx-flask", "large-body", "F10 C19", {"opt/program/nginx.conf": edit(("100m", "5m"))}
    ),
    "F11 more disk than there is": Mutant(
        "fastapi",
        "instance-type-disk",
        "F11",
        _fastapi(*_before(_LOADING, '    Path("/var/copy").write_bytes(b"w" * 80 * 2**20)\n')),
        instance_type=_SMALL,
    ),
    "F25 a variable that nobody sets": Mutant(
        "fastapi", "start-port", "F25 N11", _fastapi("model = {}", 'import os\n\nmodel = {"": os.environ["MODEL"]}')
    ),
    "C05 a slow health check": Mutant(
        "node",
        "ping",
        "C05",
        _node(
            "=== 'GET') answer(response, 200)",
            "=== 'GET') setTimeout(answer, 2200, response, 200)",
        ),
    ),
    "C08 no /invocations": Mutant("node", "invocations", "C08", _node("'/invocations'", "'/predict'")),
    "C08 no transform jobs": Mutant(
        "node", "batch-objects", "C08", _node(*_before("  const parts = []", _REFUSES_JOBS))
    ),
    "C10 one at a time": Mutant("node", "ping-busy", "C10", _node(*_before("  return rows.map(", _WORKS_FOR_LONG))),
    "C11 strict headers": Mutant(
        "fastapi", "invocation-headers", "C11", _fastapi(*_before(_DECODES, _REFUSES_HEADERS))
    ),
    "C12 browsers only": Mutant(
        "node", "invocation-any-host", "C12", _node(*_before("  const parts = []", _REFUSES_CLIENTS))
    ),
    "C13 the shell keeps SIGTERM": Mutant(
        "fastapi", "stop-grace", "C13", {"app/serve": edit(("exec uvicorn", "uvicorn"))}
    ),
    "C20 errors are paid for": Mutant(
        "node",
        "error-status",
        "C20",
        _node("answer(response, error.status, {", "answer(response, 200, {"),
        also=frozenset({"error-client"}),
    ),
    "C20 garbage ends it": Mutant(
        "node",
        "error-survival",
        "C20",
        _node(*_before("server.listen(", "server.on('clientError', () => process.exit(1))\n")),
    ),
    "S05 more shared memory than there is": Mutant(
        "fastapi", "start-shared-memory", "S05", _fastapi(*_before(_LOADING, _SHARES_WEIGHTS))
    ),
    "N03 it writes beside the model": Mutant(
        "fastapi",
        "start-read-only-model",
        "N03",
        _fastapi(*_before(_LOADING, '    Path("/opt/ml/model/ready").write_text("")\n')),
    ),
}
