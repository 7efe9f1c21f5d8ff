"""Images with one thing wrong that is seen while they run."""

from collections.abc import Mapping
from typing import Final

from argosy.conformance.probes import invocation
from argosy.simulator.containers.instance_types import InstanceType
from tests.foreign.mutation import Mutant, edit

_ROW: Final = invocation("text/csv", b"1.0,2.0,3.0,4.0\n", "sample")

_SMALL: Final = InstanceType("ml.small.test", 2, 512 * 2**20, 64 * 2**20)

_APP: Final = "app/app.py"
_SERVER: Final = "srv/server.js"
_PREDICTOR: Final = "opt/program/predictor.py"
_SERVE: Final = "opt/program/serve"
_LOADING: Final = "    model.update("
_CALLS_HOME: Final = (
    '    import urllib.request\n    urllib.request.urlopen("https://huggingface.co/api/models/x", timeout=5)\n'
)
_NODE_PING: Final = "if (request.url === '/ping' && request.method === 'GET') answer(response, 200)"

MUTANTS: Final[Mapping[str, Mutant]] = {
    "F04 on loopback alone": Mutant(
        "fastapi", "start-port", "F04 C04", {"app/serve": edit(("0.0.0.0", "127.0.0.1"))}, startup_s=4
    ),
    "F04 on another port": Mutant("node", "start-port", "F04 C04", {_SERVER: edit(("8080", "5000"))}, startup_s=3),
    "F04 another entry point": Mutant("node", "start-port", "F04", runtime={"Entrypoint": ["node", "/srv/index.js"]}),
    "F04 no /ping": Mutant("node", "start-healthy", "F04 C05", {_SERVER: edit(("'/ping'", "'/health'"))}, startup_s=8),
    "F04 a model that loads for too long": Mutant(
        "nginx-flask",
        "start-healthy",
        "F04 C06",
        {_PREDICTOR: edit(("app = flask", "import time\n\ntime.sleep(3600)\napp = flask"))},
        startup_s=8,
    ),
    "F04 hosts of its own": Mutant(
        "fastapi",
        "ping-any-host",
        "F04 C12",
        {
            _APP: edit(
                (
                    '@app.get("/ping")',
                    "from starlette.middleware.trustedhost import TrustedHostMiddleware\n\n"
                    'app.add_middleware(TrustedHostMiddleware, allowed_hosts=["model.aws.local"])\n\n\n@app.get("/ping")',
                )
            )
        },
    ),
    "F05 nginx without gunicorn": Mutant(
        "nginx-flask",
        "start-healthy",
        "F05",
        {
            "opt/program/wsgi.py": edit(("import predictor", "import predictors")),
            _SERVE: edit((", gunicorn.pid):", ",):")),
        },
        startup_s=8,
    ),
    "F06 gunicorn's clock": Mutant(
        "nginx-flask",
        "invocations",
        "F06 C10",
        {
            _PREDICTOR: edit(
                ("        model = cls", "        import time\n\n        time.sleep(3)\n        model = cls")
            )
        },
        runtime={
            "Env": [
                "PATH=/opt/program:/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "MODEL_SERVER_TIMEOUT=1",
                "MODEL_SERVER_WORKERS=8",
            ]
        },
        samples=(_ROW,),
    ),
    "F07 more memory than there is": Mutant(
        "fastapi",
        "instance-memory",
        "F07",
        {_APP: edit((_LOADING, '    app.state.weights = b"w" * 700 * 2**20\n' + _LOADING))},
        instance_type=_SMALL,
    ),
    "F08 a download at start": Mutant(
        "fastapi", "start-offline", "F08 N01 N02", {_APP: edit((_LOADING, _CALLS_HOME + _LOADING))}
    ),
    "F10 nginx takes 5 MB": Mutant(
        "nginx-flask", "large-body", "F10 C19", {"opt/program/nginx.conf": edit(("100m", "5m"))}
    ),
    "F11 more disk than there is": Mutant(
        "fastapi",
        "instance-disk",
        "F11",
        {_APP: edit((_LOADING, '    Path("/var/copy").write_bytes(b"w" * 80 * 2**20)\n' + _LOADING))},
        instance_type=_SMALL,
        also=frozenset({"read-only-root"}),
    ),
    "F25 a variable that nobody sets": Mutant(
        "fastapi",
        "start-port",
        "F25 N11",
        {_APP: edit(("model = {}", 'import os\n\nmodel = {"": os.environ["MODEL"]}'))},
    ),
    "C05 a slow health check": Mutant(
        "node", "ping", "C05", {_SERVER: edit((_NODE_PING, _NODE_PING.replace("answer(", "setTimeout(answer, 2500, ")))}
    ),
    "C08 no /invocations": Mutant("node", "invocations", "C08", {_SERVER: edit(("'/invocations'", "'/predict'"))}),
    "C08 a transform job's host": Mutant(
        "node",
        "batch-objects",
        "C08",
        {
            _SERVER: edit(
                (
                    "  const parts = []",
                    "  if (request.headers['user-agent'] === 'Go-http-client/1.1') return answer(response, 403)\n  const parts = []",
                )
            )
        },
    ),
    "C10 one at a time": Mutant(
        "node",
        "ping-busy",
        "C10",
        {
            _SERVER: edit(
                ("  return rows.map(", "  for (const end = Date.now() + 1000; Date.now() < end;);\n  return rows.map(")
            )
        },
    ),
    "C11 strict headers": Mutant(
        "fastapi",
        "invocation-headers",
        "C11",
        {
            _APP: edit(
                (
                    '    content_type = request.headers.get("content-type", "application/json")',
                    '    content_type = request.headers.get("content-type", "application/json")\n'
                    '    if any(name.startswith("x-") for name in request.headers):\n'
                    '        raise HTTPException(400, "unknown headers")',
                )
            )
        },
    ),
    "C13 the shell keeps SIGTERM": Mutant(
        "fastapi", "stop-grace", "C13", {"app/serve": edit(("exec uvicorn", "uvicorn"))}
    ),
    "C20 errors are paid for": Mutant(
        "node",
        "error-status",
        "C20",
        {_SERVER: edit(("answer(response, error.status, {", "answer(response, 200, {"))},
        also=frozenset({"error-client"}),
    ),
    "C20 garbage ends it": Mutant(
        "node",
        "error-survival",
        "C20",
        {_SERVER: edit(("server.listen(", "server.on('clientError', () => process.exit(1))\nserver.listen("))},
    ),
    "N03 it writes beside the model": Mutant(
        "fastapi",
        "start-read-only-model",
        "N03",
        {_APP: edit((_LOADING, '    Path("/opt/ml/model/ready").write_text("")\n' + _LOADING))},
    ),
}
