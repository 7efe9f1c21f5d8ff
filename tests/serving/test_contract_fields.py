"""What goes with an invocation beside its body: fields, codings, units, log lines, metrics; over both ways."""

import gzip
import http.client
import json
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port
from tests.serving.raw_client import RawClient
from tests.serving.server_process import Reply, ServerProcess, running, wait_until

ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
METERING = "x-amzn-inference-metering"
BOTH = pytest.fixture(scope="module", params=["1", "0"], ids=["short path", "plain ASGI"])


@BOTH
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    log = tmp_path_factory.mktemp("fields") / "log"
    with running("core:Contract", log, ARGOSY_SHORT_PATH=request.param, ARGOSY_MAX_BODY_MB="1") as found:
        yield found


@BOTH
def logging(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    log = tmp_path_factory.mktemp("logs") / "log"
    with running("core:Contract", log, ARGOSY_SHORT_PATH=request.param, ARGOSY_LOG_INVOCATIONS="all") as found:
        yield found


@BOTH
def metered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    log = tmp_path_factory.mktemp("metered") / "log"
    with running("core:Metered", log, ARGOSY_SHORT_PATH=request.param) as found:
        yield found


@pytest.fixture(scope="module", autouse=True)
def slow_heads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, socket.socket]]:
    """Begun before the first test of this file and judged in the last: nobody waits for them."""
    folder = tmp_path_factory.mktemp("slow")
    with ExitStack() as stack:
        found = {}
        for path in ("1", "0"):
            slow = stack.enter_context(running("core:Contract", folder / path, ARGOSY_SHORT_PATH=path))
            found[path] = stack.enter_context(socket.create_connection(("127.0.0.1", slow.port), timeout=30))
            found[path].sendall(b"POST /invocations HTTP/1.1\r\nHost: x\r\n")
        yield found


def invocations(server: ServerProcess) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in server.log.splitlines()]
    return [line for line in lines if line["event"] == "invocation"]


def test_custom_attributes_and_inference_id_come_in_and_go_out(server: ServerProcess) -> None:
    reply = server.invoke(
        {"reply": "trace=7; done"},
        X_Amzn_SageMaker_Custom_Attributes="trace=7",
        X_AMZN_SAGEMAKER_INFERENCE_ID="order-66",
    )
    assert json.loads(reply.body) == {"attributes": "trace=7", "id": "order-66"}
    assert reply.headers[ATTRIBUTES] == "trace=7; done"
    plain = server.invoke({}, X_Amzn_SageMaker_Custom_Attributes="trace=7")
    assert ATTRIBUTES not in plain.headers


@pytest.mark.parametrize(("do", "status"), [("refuse", 400), ("raise", 500)])
def test_custom_attributes_go_with_the_answer_of_an_error_too(server: ServerProcess, do: str, status: int) -> None:
    reply = server.invoke({"reply": "rule=age", "do": do, "units": 2}, X_Amzn_SageMaker_Inference_Id="order-67")
    assert (reply.status, reply.headers[ATTRIBUTES]) == (status, "rule=age")
    assert METERING not in reply.headers
    assert reply.error["inference_id"] == "order-67"
    assert ATTRIBUTES not in server.invoke({"do": do}).headers, "those of another invocation"


def test_an_accept_that_begins_with_an_i_is_no_inference_id(logging: ServerProcess) -> None:
    assert logging.invoke({}, Accept="Image/png, */*").status == 200
    wait_until(lambda: invocations(logging), 5)
    assert all(line["inference_id"] != "mage/png, */*" for line in invocations(logging))


@pytest.mark.parametrize("text", ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "é", "x" * 1025])
def test_no_attribute_becomes_a_header_field(server: ServerProcess, text: str) -> None:
    reply = server.invoke({"reply": text})
    assert reply.status == 500
    assert not {"x-evil", ATTRIBUTES} & set(reply.headers)


def test_units_add_up_and_go_with_2xx_alone(server: ServerProcess) -> None:
    reply = server.invoke({"units": 1.5})
    assert json.loads(reply.headers[METERING]) == {"Dimension": "inference.count", "ConsumedUnits": 3}
    for body in ({"units": 1, "do": "raise"}, {"units": 1, "do": "refuse"}, {"units": -1}):
        refused = server.invoke(body)
        assert refused.status in (400, 500)
        assert METERING not in refused.headers
    assert METERING not in server.invoke({}).headers


@pytest.mark.parametrize("units", ["1e400", '"many"', "1e300", "[1, -2]"])
def test_units_that_are_none_cost_no_process(server: ServerProcess, units: str) -> None:
    before = server.model_pids()
    assert server.invoke(b'{"units": %s}' % units.encode()).status in (400, 500)
    assert server.model_pids() == before


def test_units_of_invocations_that_share_a_call_add_up(metered: ServerProcess) -> None:
    for _ in range(4):
        metered.invoke([[1.0]])
    rows = [[[float(n), 0.0]] * (1 + n % 3) for n in range(120)]
    with ThreadPoolExecutor(24) as pool:
        replies = list(pool.map(metered.invoke, rows))
    told = [json.loads(reply.headers.get(METERING, '{"ConsumedUnits": 0}')) for reply in replies]
    assert [units["ConsumedUnits"] for units in told] == [n * (1 + n % 3) for n in range(120)]
    batches = metered.request("GET", "/metrics").body.decode()
    frames = int(batches.partition("argosy_batch_invocations_count ")[2].split()[0])
    assert frames < 124  # some did share a call
    units = batches.partition("\nargosy_metered_units_total ")[2].split()[0]
    assert float(units) == 4 + sum(n * (1 + n % 3) for n in range(120))


def test_units_of_streams_are_charged_and_counted(tmp_path: Path) -> None:
    with running("core:MeteredStream", tmp_path / "log") as server:
        for accept in ("text/plain", "application/json"):
            reply = server.request("POST", "/invocations", b"7", Content_Type="text/plain", Accept=accept)
            assert json.loads(reply.headers[METERING])["ConsumedUnits"] == 7
        server.request("POST", "/invocations", b"no number", Content_Type="text/plain")
        page = server.request("GET", "/metrics").body.decode()
        assert "\nargosy_metered_units_total 14" in page


def test_errors_name_the_inference_id_and_no_secret(server: ServerProcess) -> None:
    reply = server.invoke({"do": "raise"}, X_Amzn_SageMaker_Inference_Id="call-9")
    assert reply.error == {
        "code": "predict",
        "message": "the predictor raised `RuntimeError`",
        "inference_id": "call-9",
    }
    wait_until(lambda: any(line["inference_id"] == "call-9" for line in invocations(server)), 5)
    (line,) = [line for line in invocations(server) if line["inference_id"] == "call-9"]
    assert line["status"] == 500
    assert line["bytes_in"] == len(b'{"do": "raise"}')


def say_good_and_bad(server: ServerProcess) -> None:
    assert server.invoke({"attributes": "31337"}, X_Amzn_SageMaker_Inference_Id="good").status == 200
    assert server.invoke({"do": "refuse"}, X_Amzn_SageMaker_Inference_Id="bad").status == 400
    wait_until(lambda: any(line["inference_id"] == "bad" for line in invocations(server)), 5)


def test_only_errors_have_a_line(server: ServerProcess) -> None:
    say_good_and_bad(server)
    assert not any(line["status"] == 200 for line in invocations(server))


def test_all_invocations_have_a_line_when_the_project_says_so(logging: ServerProcess) -> None:
    say_good_and_bad(logging)
    good = [line for line in invocations(logging) if line["inference_id"] == "good"]
    assert [line["status"] for line in good] == [200]
    assert {"queue", "decode", "predict", "encode", "total"} <= set(good[0]["ms"])
    assert good[0]["bytes_out"] > 0
    assert "31337" not in logging.log
    assert "_aws" not in logging.log  # no metric lines for CloudWatch unless a namespace is named


def test_gzip_comes_in(server: ServerProcess) -> None:
    body = gzip.compress(b'{"do": "refuse"}')
    assert server.invoke(body, Content_Encoding="gzip").status == 400
    assert server.invoke(gzip.compress(b"{}"), Content_Encoding="GZIP").status == 200
    bomb = server.invoke(gzip.compress(b"[" + b" " * 2**21), Content_Encoding="gzip")
    assert (bomb.status, bomb.error["code"]) == (413, "body-too-large")
    garbage = server.invoke(b"{}", Content_Encoding="gzip")
    assert (garbage.status, garbage.error["code"]) == (400, "decode")
    other = server.invoke(b"{}", Content_Encoding="br")
    assert (other.status, other.error["code"]) == (415, "unsupported-media-type")


def test_gzip_goes_out_to_who_asks(server: ServerProcess) -> None:
    reply = server.invoke({"do": "long"}, Accept_Encoding="gzip, br")
    assert (reply.status, reply.headers["content-encoding"]) == (200, "gzip")
    assert json.loads(gzip.decompress(reply.body)) == "x" * 5000
    for accepts in ("identity", "br", "gzip;q=0"):
        plain = server.invoke({"do": "long"}, Accept_Encoding=accepts)
        assert json.loads(plain.body) == "x" * 5000
        assert "content-encoding" not in plain.headers
    assert "content-encoding" not in server.invoke({}, Accept_Encoding="gzip").headers


def test_a_reply_is_sent_as_it_is_and_a_broken_one_costs_no_process(server: ServerProcess) -> None:
    before = server.model_pids()
    whole = server.invoke({"do": "whole"})
    assert (whole.status, whole.headers["content-type"], whole.body) == (200, "audio/wav", b"\x01\x02")
    assert server.invoke({"do": "text"}).status == 500
    assert server.model_pids() == before


def test_metrics_count_what_was_sent(server: ServerProcess) -> None:
    def counted() -> Counter[str]:
        text = server.request("GET", "/metrics").body.decode()
        pairs = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
        return Counter({name: float(value) for name, _, value in pairs})

    before = counted()
    bodies: list[dict[str, str]] = [{}] * 5 + [{"do": "raise"}] * 2 + [{"do": "refuse"}] * 3
    replies: list[Reply] = [server.invoke(body) for body in bodies]
    assert Counter(reply.status for reply in replies) == {200: 5, 500: 2, 400: 3}
    server.ping()
    after = counted()
    change = {name: after[name] - before[name] for name in after}
    for status, count in ((200, 5), (500, 2), (400, 3)):
        assert change[f'argosy_invocations_total{{status="{status}"}}'] == count
    assert change["argosy_invocation_duration_seconds_count"] == 10
    assert change["argosy_queue_duration_seconds_count"] == 10
    assert change["argosy_batch_invocations_sum"] == 10
    assert after["argosy_ready"] == 1
    assert after["argosy_queue_length"] == after["argosy_queue_bytes"] == 0
    assert after['argosy_model_processes{state="idle"}'] == 1


def test_the_openapi_document_is_there(server: ServerProcess) -> None:
    reply = server.request("GET", "/openapi.json")
    document = json.loads(reply.body)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert document["openapi"].startswith("3.1")
    assert {"/ping", "/invocations"} <= set(document["paths"])


@pytest.mark.parametrize("short_path", ["1", "0"])
def test_own_methods_see_what_was_sent(tmp_path: Path, short_path: str) -> None:
    with running("core:OwnMethods", tmp_path / "log", ARGOSY_SHORT_PATH=short_path) as found:
        reply = found.request("POST", "/invocations", b"a|b|c", Content_Type="x/mine", Accept="x/mine;q=0.5")
        assert (reply.status, reply.headers["content-type"]) == (200, "x/mine")
        assert reply.body == b"c|b|ax/mine;q=0.5"


@pytest.mark.parametrize("short_path", ["1", "0"])
def test_a_full_queue_says_when_to_come_back(tmp_path: Path, short_path: str) -> None:
    with (
        running("core:Contract", tmp_path / "log", ARGOSY_QUEUE="2", ARGOSY_SHORT_PATH=short_path) as found,
        ThreadPoolExecutor(8) as pool,
    ):
        body = {"do": "sleep", "seconds": 0.3}
        first = pool.submit(found.invoke, body)
        wait_until(lambda: b'state="busy"} 1' in found.request("GET", "/metrics").body, 5)
        replies = [one.result() for one in [pool.submit(found.invoke, body) for _ in range(6)]]
        assert first.result().status == 200
    assert Counter(reply.status for reply in replies) == {200: 2, 503: 4}
    refused = [reply for reply in replies if reply.status == 503]
    assert {reply.headers["retry-after"] for reply in refused} == {"1"}
    assert {reply.error["code"] for reply in refused} == {"overloaded"}


def test_it_is_ready_only_after_the_warm_up(tmp_path: Path) -> None:
    sample = tmp_path / "sample.json"
    sample.write_text('{"do": "sleep", "seconds": 0.5}')
    log = tmp_path / "log"
    with running("core:Contract", log, wait=False, ARGOSY_WARM_UP=str(sample)) as found:
        wait_until(lambda: found.model_pids(), 10)
        assert found.ping() == 503
        found.wait_ready()
        assert b"argosy_batch_invocations_count 0" in found.request("GET", "/metrics").body


WARMED = {"Awaits": b"call 2 on 1 loop", "Parts": b"call 2", "Yields": b"call 2"}


@pytest.mark.parametrize("predictor", WARMED)
def test_what_is_awaited_or_streamed_is_warmed_up_too(tmp_path: Path, predictor: str) -> None:
    sample = tmp_path / "sample.txt"
    sample.write_text("warm")
    with running(f"warmed:{predictor}", tmp_path / "log", ARGOSY_WARM_UP=str(sample)) as found:
        reply = found.request("POST", "/invocations", b"go", Content_Type="text/plain")
        assert (reply.status, reply.body) == (200, WARMED[predictor])
        assert "never awaited" not in found.log


REFUSED = {
    ("Awaits", "refuse"): " with 400: refused",
    ("Awaits", "raise"): " with 500: the predictor raised `ZeroDivisionError`",
    ("Parts", "refuse"): ": refused",
    ("Parts", "raise"): ": ZeroDivisionError",
    ("Yields", "refuse"): ": refused",
    ("Yields", "raise"): ": ZeroDivisionError",
}


@pytest.mark.parametrize("text", ["refuse", "raise"])
@pytest.mark.parametrize("predictor", WARMED)
def test_a_refused_sample_of_what_is_awaited_or_streamed_ends_the_server(
    tmp_path: Path, predictor: str, text: str
) -> None:
    sample = tmp_path / "sample.txt"
    sample.write_text(text)
    found = ServerProcess(f"warmed:{predictor}", free_port(), {"ARGOSY_WARM_UP": str(sample)}, tmp_path / "log")
    assert found.popen.wait(20) == 1
    errors = [line for line in found.log.splitlines() if line.startswith("error: ")]
    assert errors == [f"error: {sample}: a warm-up sample is refused{REFUSED[predictor, text]}"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"do": "refuse"}', "a warm-up sample is refused with 400: `age` is negative"),
        ("not json", "a warm-up sample is refused with 400: line 1, column 1: the body is not JSON: got 8 bytes"),
        (None, "a warm-up sample cannot be read: got No such file or directory"),
    ],
)
def test_a_warm_up_sample_that_is_refused_ends_the_server_with_one_line(
    tmp_path: Path, text: str | None, sentence: str
) -> None:
    sample = tmp_path / "sample.json"
    if text is not None:
        sample.write_text(text)
    found = ServerProcess("core:Contract", free_port(), {"ARGOSY_WARM_UP": str(sample)}, tmp_path / "log")
    assert found.popen.wait(20) == 1
    errors = [line for line in found.log.splitlines() if line.startswith("error: ")]
    assert errors == [f"error: {sample}: {sentence}"]


def test_a_model_loaded_before_the_fork_is_loaded_once(tmp_path: Path) -> None:
    loads = tmp_path / "loads"
    with (
        running("core:Shared", tmp_path / "log", ARGOSY_WORKERS="2", TEST_TOLD=str(loads)) as found,
        ThreadPoolExecutor(4) as pool,
    ):
        wait_until(lambda: len(answered_by(found, pool)) == 2, 10)
        assert len({json.loads(found.invoke(0).body)["table"] for _ in range(3)}) == 1
        first = found.model_pids()[0]
        subprocess.run(["kill", "-9", str(first)], check=True)
        wait_until(lambda: len(found.model_pids()) == 2 and first not in found.model_pids(), 10)
        wait_until(lambda: len(answered_by(found, pool)) == 2, 10)
        assert len(loads.read_text().splitlines()) == 1


def answered_by(server: ServerProcess, pool: ThreadPoolExecutor) -> set[int]:
    return {json.loads(reply.body)["pid"] for reply in pool.map(server.invoke, range(4))}


def test_threads_are_divided_unless_the_user_says_so(tmp_path: Path) -> None:
    with running("core:Contract", tmp_path / "one", ARGOSY_WORKERS="2", OPENBLAS_NUM_THREADS="3") as found:
        told = json.loads(found.invoke({"do": "threads"}).body)
    assert told["OPENBLAS_NUM_THREADS"] == "3"
    assert int(told["OMP_NUM_THREADS"]) >= 1


def test_without_a_number_there_are_as_many_workers_as_processors_and_memory_allow(tmp_path: Path) -> None:
    with running("core:Contract", tmp_path / "log", ARGOSY_WORKERS="") as found:
        wait_until(lambda: '"event":"workers"' in found.log, 10)
        (line,) = [json.loads(line) for line in found.log.splitlines() if '"event":"workers"' in line]
        assert 1 <= line["count"] <= line["processors"]
        wait_until(lambda: len(found.model_pids()) == line["count"], 10)


def test_methods_that_are_not_taken_say_which_are(server: ServerProcess) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("HEAD", "/invocations")
    response = connection.getresponse()
    assert (response.status, response.headers["allow"]) == (405, "POST")
    connection.close()


def test_fields_that_come_twice_are_one_list(server: ServerProcess) -> None:
    with RawClient(server.port) as client:
        client.ask({}, "X-Amzn-SageMaker-Custom-Attributes: a", "X-Amzn-SageMaker-Custom-Attributes: b")
        status, fields = client.head()
        body = client.stream.read(int(fields["content-length"]))
    assert status == 200
    assert json.loads(body)["attributes"] == "a, b"


def test_a_head_that_does_not_come_is_408(slow_heads: dict[str, socket.socket]) -> None:
    for slow in slow_heads.values():
        assert slow.recv(1000).startswith(b"HTTP/1.1 408 ")
