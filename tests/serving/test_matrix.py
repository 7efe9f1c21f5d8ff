"""Every media type, right and wrong in each way, for an untyped and all typed predictors: status and message."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from argosy.serving import codecs
from tests.serving import matrix
from tests.serving.bodies import SECRET
from tests.serving.matrix import Case
from tests.serving.server_process import Reply, ServerProcess, running

Serve = Callable[[str], ServerProcess]
CASES = list(matrix.cases())
SECRETS = (SECRET, "Traceback", 'File "', "smørre")


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """One server for each predictor, started when it is first asked for."""
    servers: dict[str, ServerProcess] = {}
    with ExitStack() as stack:

        def found(predictor: str) -> ServerProcess:
            if predictor not in servers:
                log = tmp_path_factory.mktemp(predictor) / "log"
                server = running(f"matrix:{predictor}", log, ARGOSY_MAX_BODY_MB=str(matrix.MAX_BODY_MB))
                servers[predictor] = stack.enter_context(server)
            return servers[predictor]

        yield found


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.media_type} {c.condition} {c.predictor}")
def test_each_request_has_its_status_and_no_message_tells_of_a_body(serve: Serve, case: Case) -> None:
    reply = serve(case.predictor).request(
        "POST", "/invocations", case.body, Content_Type=case.content_type, Accept=case.accept
    )
    assert (reply.status, shown(reply)) == (case.status, shown(reply))
    if case.status == 200:
        assert (reply.headers["content-type"], reply.body) == ("application/json", case.answer)
        return
    assert reply.headers["content-type"] == "application/json"
    assert set(reply.error) == {"code", "message"}
    assert [secret for secret in SECRETS if secret in reply.body.decode()] == []


def shown(reply: Reply) -> str:
    return reply.body.decode("latin-1")[:300]


def test_no_request_of_the_matrix_ended_a_process(serve: Serve) -> None:
    for predictor in sorted({case.predictor for case in CASES}):
        log = serve(predictor).log
        assert "model-process-ended" not in log
        assert "Traceback" not in log


def test_the_matrix_is_whole() -> None:
    taken = sum(map(len, matrix.TAKES.values()))
    media_types = {case.media_type for case in CASES}
    assert len(CASES) == taken * len(matrix.CONDITIONS) + len(media_types) * len(matrix.TAKES) - taken
    assert len({(case.media_type, case.condition, case.predictor) for case in CASES}) == len(CASES)
    families = {name for name in codecs.names() if not name.endswith("/*")}
    assert families <= media_types
    assert all(codecs.find(name) for name in media_types)
