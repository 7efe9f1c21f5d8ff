"""SageMaker's inference functions: found where the toolkits find them, called as they call them.

The three of `projects/inference-scripts` are written as AWS's examples are. torch and xgboost themselves are too large
for the tests: the scripts in their style compute with numpy and with plain Python.
"""

import io
import json
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from argosy.errors import DecodeError, InvocationError, LoadError, NotAcceptableError, UnsupportedMediaTypeError
from argosy.serving import context
from argosy.serving.context import InvocationContext, Reply
from argosy.serving.inference_script import InferenceScript, find_script, find_shared_script, predictor_class
from argosy.serving.script.context import ScriptContext
from argosy.serving.settings import ScriptPlace, Settings
from tests.serving.server_process import ServerProcess, running

SCRIPTS = Path(__file__).parent.parent / "projects/inference-scripts"

Load = Callable[[str], InferenceScript]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Loads a script from its text."""
    monkeypatch.setattr(sys, "path", [*sys.path])

    def load_text(text: str) -> InferenceScript:
        path = tmp_path / "code" / "inference.py"
        path.parent.mkdir()
        path.write_text(textwrap.dedent(text))
        loaded = predictor_class(path)()
        loaded.load(tmp_path)
        return loaded

    yield load_text
    sys.modules.pop("inference", None)


def ask(
    script: InferenceScript, body: bytes, content_type: str = "application/json", accept: str = "", attributes: str = ""
) -> Reply:
    invocation = InvocationContext(content_type, accept)
    invocation.custom_attributes = attributes
    context.enter(invocation)
    try:
        return script.predict(body)
    finally:
        context.enter(None)


ECHO = """
    def model_fn(model_dir):
        return type(model_dir).__name__

    def predict_fn(data, model):
        return data

    def output_fn(prediction, accept):
        return f"{type(prediction).__name__} for {accept}"
"""
TAKES_ALL = (
    ECHO
    + """
    def input_fn(body, content_type):
        return body
"""
)


@pytest.mark.parametrize(
    ("content_type", "given"),
    [
        ("application/json", "str"),
        ("text/csv; charset=utf-8", "str"),
        ("", "str"),
        ("text/plain", "bytes"),
        ("application/x-npy", "bytes"),
        ("nonsense", "bytes"),
    ],
)
def test_json_and_csv_come_as_text_and_all_else_as_bytes(load: Load, content_type: str, given: str) -> None:
    assert ask(load(TAKES_ALL), b"[1]", content_type).body == f"{given} for application/json".encode()


@pytest.mark.parametrize(
    ("accept", "told", "answered"),
    [
        ("", "application/json", "application/json"),
        ("*/*", "application/json", "application/json"),
        ("text/csv", "text/csv", "text/csv"),
        ("image/*, text/csv;q=0.5, text/plain", "image/*, text/csv;q=0.5, text/plain", "text/plain"),
        ("image/*", "image/*", "application/json"),
        ("application/x-own; v=1", "application/x-own; v=1", "application/x-own; v=1"),
    ],
)
def test_the_script_is_told_what_is_accepted_and_the_answer_has_one_type(
    load: Load, accept: str, told: str, answered: str
) -> None:
    assert ask(load(TAKES_ALL), b"[1]", accept=accept) == Reply(f"str for {told}".encode(), answered)


@pytest.mark.parametrize(
    ("written", "want"),
    [
        ("return b'x', 'text/x-own'", Reply(b"x", "text/x-own")),
        ("return bytearray(b'x')", Reply(b"x", "application/json")),
        ("return {'a': [1]}", Reply(b'{"a":[1]}', "application/json")),
        ("return {'a': [1]}, 'application/json'", Reply(b'{"a":[1]}', "application/json")),
        ("return argosy.Reply(b'y', 'a/b')", Reply(b"y", "a/b")),
        ("context.set_response_content_type(0, 'text/x-own'); return 'x'", Reply(b"x", "text/x-own")),
        ("return Response('x', 200)", Reply(b"x", "text/x-flask")),
    ],
)
def test_what_output_fn_may_return(load: Load, written: str, want: Reply) -> None:
    script = f"""
    import argosy

    class Response:
        def __init__(self, body, status):
            self.body, self.status_code, self.mimetype = body, status, "text/x-flask"

        def get_data(self):
            return self.body.encode()

    def model_fn(model_dir): return None
    def predict_fn(data, model): return data
    def output_fn(prediction, accept, context): {written}
    """
    assert ask(load(script), b"[1]") == want


def test_the_context_offers_what_the_toolkits_do(load: Load, tmp_path: Path) -> None:
    loaded = load("""
    import json

    def model_fn(model_dir, context):
        return context.system_properties["model_dir"]

    def input_fn(body, content_type, context=None):
        return context.get_request_header(0, "X-Amzn-SageMaker-Custom-Attributes")

    def predict_fn(data, model, ctx):
        properties = ctx.request_processor[0].get_request_properties()
        return [data, model, properties["Content-Type"], ctx.get_request_header(0, "accept"), ctx.get_request_id()]

    def output_fn(prediction, accept, context):
        context.set_response_header(0, "X-Amzn-SageMaker-Custom-Attributes", "seen")
        context.set_response_header(0, "X-Other", "dropped")
        return json.dumps(prediction)
    """)
    reply = ask(loaded, b"", "text/csv", attributes="tenant=7")
    assert json.loads(reply.body) == ["tenant=7", str(tmp_path), "text/csv", None, ""]


ARGUMENTS = {
    "pre_model_fn": 1,
    "model_fn": 1,
    "model_warmup_fn": 2,
    "input_fn": 2,
    "predict_fn": 2,
    "output_fn": 2,
    "transform_fn": 4,
}
"""How many each is given without the context (sagemaker-inference-toolkit 1.10.1, transformer.py)."""
WITHOUT = ("{own}", "{own}, /", "*all_of_them", "{own}, extra=None", "{own}, *, context=None", "{own}, **more")
WITH = (
    "{own}, context",
    "{own}, ctx",
    "{own}, _",
    "{own}, context, /",
    "{own}, context=None",
    "{own}, my_context=None",
    "{own}, context, file_name='x'",
)


@pytest.mark.parametrize("signature", [*WITHOUT, *WITH])
@pytest.mark.parametrize("name", ARGUMENTS)
def test_each_function_is_given_the_context_when_it_takes_one_more(load: Load, name: str, signature: str) -> None:
    """By position, whatever it is called; each is called once with what it is given."""
    count = ARGUMENTS[name]
    own = ", ".join(f"a{number}" for number in range(count))
    script = f"""
    calls = []
    def {name}({signature.format(own=own)}):
        given = list(locals().values())
        calls.append(len(given[0]) if isinstance(given[0], tuple) else given)
        return "made"
    """
    rest = {"model_fn": "d", "input_fn": "b, c", "predict_fn": "d, m", "output_fn": "p, a"}
    left = {n: own for n, own in rest.items() if n != name and not (name == "transform_fn" and n != "model_fn")}
    loaded = load(script + "".join(f"\n    def {n}({own}): return 'other'" for n, own in left.items()))
    ask(loaded, b"[1]")
    (given,) = sys.modules["inference"].calls
    if signature == "*all_of_them":
        assert given == count
        return
    told = [value for value in given if isinstance(value, ScriptContext)]
    assert len(told) == (signature in WITH)
    if told:
        assert given[count] is told[0]
    assert not any(isinstance(value, ScriptContext) for value in given[:count])


@pytest.mark.parametrize("name", ARGUMENTS)
@pytest.mark.parametrize("more", [-1, 2])
def test_a_function_with_too_few_or_too_many_arguments_is_refused_at_start(load: Load, name: str, more: int) -> None:
    own = ", ".join(f"a{number}" for number in range(ARGUMENTS[name] + more))
    with pytest.raises(LoadError, match=f"`{name}` of the inference script takes other arguments"):
        load(f"def {name}({own}): ...")


def test_an_argument_with_a_default_of_its_own_is_not_the_context(load: Load) -> None:
    loaded = load("""
    def model_fn(model_dir, file_name="model.bin"): return file_name
    def transform_fn(model, body, content_type, accept): return model
    """)
    assert ask(loaded, b"").body == b"model.bin"


def test_every_function_is_called_in_the_toolkits_order(load: Load) -> None:
    loaded = load("""
    calls = []
    def pre_model_fn(model_dir): calls.append("pre")
    def model_fn(model_dir): calls.append("model"); return "m"
    def model_warmup_fn(model_dir, model): calls.append("warm " + model)
    def input_fn(body, content_type): calls.append("input"); return "i"
    def predict_fn(data, model): calls.append(f"predict {data} {model}"); return "p"
    def output_fn(prediction, accept): calls.append(f"output {prediction}"); return " ".join(calls)
    """)
    assert ask(loaded, b"").body == b"pre model warm m input predict i m output p"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "defines none of SageMaker's functions"),
        ("import missing_library", "got ModuleNotFoundError"),
        ("raise SystemExit(3)", "got SystemExit: 3"),
        ("def model_fn(): ...", r"`model_fn` .* got `model_fn\(\)`, want `model_fn\(model_dir\)`"),
        ("def model_fn(a, b, c): ...", "takes other arguments"),
        ("def transform_fn(m, b, c, a): ...\ndef input_fn(b, c): ...", "what it stands for: got `input_fn`"),
        ("def predict_fn(d, m): ...", "has no `model_fn`"),
        ("def model_fn(d): return object()", "no `predict_fn`: got a `object`"),
    ],
)  # fmt: skip
def test_a_script_that_cannot_serve_says_so_before_it_is_asked(load: Load, text: str, message: str) -> None:
    with pytest.raises(LoadError, match=message):
        load(text)


def test_a_script_with_the_name_of_another_module_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "json.py").write_text("def model_fn(d): ...")
    with pytest.raises(LoadError, match="another module, `json`"):
        predictor_class(tmp_path / "json.py")


SKLEARN = """
    import numpy as np

    class Doubler:
        def predict(self, x):
            return np.asarray(x.todense() if hasattr(x, "todense") else x) * 2

    def model_fn(model_dir):
        return Doubler()
"""


def npy(value: object) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.asarray(value))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "want"),
    [
        (b"[[1, 2]]", "application/json", "", b"[[2.0,4.0]]"),
        (b"1,2\n3,4\n", "text/csv", "text/csv", b"2.0,4.0\n6.0,8.0\n"),
        (b"[1, 2]\n[3, 4]\n", "application/jsonlines", "application/json", b"[[2.0,4.0],[6.0,8.0]]"),
        (npy([[1.5]]), "application/x-npy", "application/json;q=0.5, text/csv", b"3.0\n"),
    ],
)
def test_what_a_script_leaves_out_goes_through_our_codecs(
    load: Load, body: bytes, content_type: str, accept: str, want: bytes
) -> None:
    assert ask(load(SKLEARN), body, content_type, accept).body == want


@pytest.mark.parametrize("content_type", ["application/python-pickle", "application/x-python-serialize", "nonsense"])
def test_no_default_decodes_a_pickle(load: Load, content_type: str) -> None:
    with pytest.raises(UnsupportedMediaTypeError, match="`application/json`"):
        ask(load(SKLEARN), b"\x80\x04N.", content_type)


def test_no_default_unpickles_the_objects_of_an_array(load: Load) -> None:
    with pytest.raises(DecodeError):
        ask(load(SKLEARN), npy(np.array([[None, "x"]], dtype=object)), "application/x-npy")


def test_no_default_answers_in_a_type_without_a_codec(load: Load) -> None:
    with pytest.raises(NotAcceptableError, match="`application/json`"):
        ask(load(SKLEARN), b"[[1]]", accept="application/x-own")


ERRORS = """
    import argosy

    class UnsupportedFormatError(Exception): ...

    class BaseInferenceToolkitError(Exception):
        def __init__(self, status_code, message, phrase):
            self.status_code, self.message = status_code, message

    class HTTPException(Exception):
        code, description = 413, "too many rows"
        def get_response(self): ...

    class RemoteError(Exception):
        code = 404

    def model_fn(model_dir): return None
    def input_fn(body, content_type): return eval(body)
    def predict_fn(data, model): return data
    def output_fn(prediction, accept):
        if prediction == "format":
            raise UnsupportedFormatError
        raise prediction
"""


@pytest.mark.parametrize(
    ("raised", "code", "message"),
    [
        ("[][1]", None, ""),
        ("argosy.DecodeError('row 3 is short')", "decode", "row 3 is short"),
        ("BaseInferenceToolkitError(400, 'no rows', '')", "decode", "no rows"),
        ("BaseInferenceToolkitError(422, 'odd rows', '')", "decode", "odd rows"),
        ("BaseInferenceToolkitError(415, 'no', '')", "unsupported-media-type", "no"),
        ("BaseInferenceToolkitError(503, 'busy', '')", None, ""),
        ("HTTPException()", "body-too-large", "too many rows"),
        ("RemoteError()", None, ""),
        ("ValueError('bad value')", None, ""),
        ("'format'", "not-acceptable", "does not know this media type"),
    ],
)
def test_an_exception_that_speaks_of_the_request_is_a_refusal(
    load: Load, raised: str, code: str | None, message: str
) -> None:
    loaded = load(ERRORS)
    with pytest.raises(Exception) as caught:
        ask(loaded, raised.encode())
    if code is None:
        assert not isinstance(caught.value, InvocationError)
    else:
        assert isinstance(caught.value, InvocationError)
        assert caught.value.code == code
        assert message in caught.value.message


def test_a_status_in_the_context_is_a_refusal(load: Load) -> None:
    loaded = load("""
    def model_fn(model_dir): return None
    def transform_fn(model, body, content_type, accept, context):
        context.set_response_status(int(body), "no such tenant")
        return "ignored"
    """)
    with pytest.raises(DecodeError, match="no such tenant"):
        ask(loaded, b"404")
    with pytest.raises(InvocationError, match="says that it failed") as caught:
        ask(loaded, b"500")
    assert caught.value.code == "predict"


def test_a_script_is_looked_for_where_the_toolkits_look(tmp_path: Path) -> None:
    model, program, submitted = tmp_path / "model", tmp_path / "program", tmp_path / "submitted"
    told = Settings(model_dir=model, program_dir=program)
    assert find_script(model, told) is None
    for path in (model / "code/inference.py", submitted / "entry.py", program / "mine.py"):
        path.parent.mkdir(parents=True)
        path.write_text("")
    assert find_script(model, told) == model / "code/inference.py"
    by_program = replace(told, script=ScriptPlace(program="entry", submit_dir=submitted))
    assert find_script(model, by_program) == submitted / "entry.py"
    elsewhere = replace(told, script=ScriptPlace(submit_dir=submitted))
    assert find_script(model, elsewhere) == model / "code/inference.py"
    assert find_script(model, replace(told, script=ScriptPlace(Path("mine.py")))) == program / "mine.py"
    in_artifacts = replace(told, script=ScriptPlace(Path("code/inference.py")))
    assert find_script(model, in_artifacts) == model / "code/inference.py"
    with pytest.raises(LoadError, match=r"ARGOSY_INFERENCE_SCRIPT.* got `gone.py`, want .*gone.py` or "):
        find_script(model, replace(told, script=ScriptPlace(Path("gone.py"))))


def test_on_a_multi_model_endpoint_a_models_own_script_comes_first(tmp_path: Path) -> None:
    model, bare, program, submitted = (tmp_path / name for name in ("model", "bare", "program", "submitted"))
    for path in (model / "code/inference.py", submitted / "inference.py", program / "mine.py"):
        path.parent.mkdir(parents=True)
        path.write_text("")
    many = Settings(model_dir=bare, program_dir=program, is_multi_model=True)
    assert (find_script(model, many), find_script(bare, many)) == (model / "code/inference.py", None)
    assert find_shared_script(many) is None
    for place, shared in (
        (ScriptPlace(submit_dir=submitted), submitted / "inference.py"),
        (ScriptPlace(Path("mine.py")), program / "mine.py"),
    ):
        told = replace(many, script=place)
        assert find_script(model, told) == model / "code/inference.py"
        assert find_script(bare, told) == find_shared_script(told) == shared
    (model / "mine.py").write_text("")
    assert find_script(model, told) == model / "mine.py"


def artifacts(style: str, folder: Path) -> Path:
    """The unpacked model.tar.gz of a style: its model and `code/`."""
    shutil.copytree(SCRIPTS / style, folder, ignore=shutil.ignore_patterns("__pycache__"))
    if style == "sklearn":
        names = ["sepal length", "sepal width", "petal length", "petal width"]
        flowers = pd.DataFrame([[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]] * 5, columns=names)
        joblib.dump(LogisticRegression().fit(flowers, ["setosa", "virginica"] * 5), folder / "model.joblib")
    if style == "pytorch":
        np.savez(folder / "model.npz", hidden_weight=np.eye(3), output_weight=np.array([[1.0], [2.0], [3.0]]))
    if style == "xgboost":
        stumps = [
            {"feature": 0, "below": 1.5, "left": -1.0, "right": 1.0},
            {"feature": 2, "below": 3, "left": 0.25, "right": 0.5},
        ]
        (folder / "xgboost-model").write_text(json.dumps({"stumps": stumps}))
    return folder


@contextmanager
def serving(style: str, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that is told nothing but where the artifacts are."""
    model_dir = artifacts(style, tmp_path / "model")
    with running("", tmp_path / "log", ARGOSY_PREDICTOR="", ARGOSY_MODEL_DIR=str(model_dir)) as server:
        yield server


def test_a_script_in_the_style_of_the_scikit_learn_container_is_served_unchanged(tmp_path: Path) -> None:
    with serving("sklearn", tmp_path) as server:
        instances = {"instances": [[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]]}
        reply = server.invoke(instances)
        assert reply.headers["content-type"] == "application/json"
        assert [np.argmax(row) for row in json.loads(reply.body)["predictions"]] == [0, 1]
        rows = server.invoke(b"5.1,3.5,1.4,0.2\n", Content_Type="text/csv", Accept="text/csv")
        assert (rows.status, rows.headers["content-type"]) == (200, "text/csv")
        assert len(rows.body.split(b",")) == 2
        wrong = server.invoke(b"x", Content_Type="text/plain")
        assert (wrong.status, wrong.error["message"]) == (500, "the predictor raised `ValueError`")
        assert server.invoke(instances, Accept="image/png").status == 500
        assert "image/png accept type is not supported by this script." in server.log


def test_a_script_in_the_style_of_the_pytorch_container_is_served_unchanged(tmp_path: Path) -> None:
    """The style, not the library: every function takes the context, the arrays are numpy's."""
    with serving("pytorch", tmp_path) as server:
        want = {"scores": [[14.0]], "for": "id-7"}
        reply = server.invoke({"inputs": [[1, 2, 3]]}, X_Amzn_SageMaker_Inference_Id="id-7")
        assert json.loads(reply.body) == want
        array = npy(np.array([[1, 2, 3]], dtype=np.float32))
        reply = server.invoke(array, Content_Type="application/x-npy", X_Amzn_SageMaker_Inference_Id="id-7")
        assert json.loads(reply.body) == want
        wrong = server.invoke(b"x", Content_Type="text/plain")
        assert (wrong.status, wrong.error["message"]) == (415, "give application/json or application/x-npy")
        pickled = npy(np.array([[None]], dtype=object))
        assert server.invoke(pickled, Content_Type="application/x-npy").status == 500


def test_a_script_in_the_style_of_the_xgboost_container_is_served_unchanged(tmp_path: Path) -> None:
    """The style, not the library: `transform_fn`, a model file without a suffix, libsvm and CSV."""
    with serving("xgboost", tmp_path) as server:
        reply = server.invoke(b"0:2 2:5\n0:1\n", Content_Type="text/libsvm", Accept="text/csv")
        assert (reply.headers["content-type"], reply.body) == ("text/csv", b"1.5,-0.75")
        reply = server.invoke(b"2,0,5\n1,0,0\n", Content_Type="text/csv")
        assert (reply.headers["content-type"], json.loads(reply.body)) == ("application/json", [1.5, -0.75])
        own = server.invoke(b"2,0,5\n", Content_Type="text/csv", Accept="application/vnd.scores+json")
        assert (own.status, own.headers["content-type"]) == (200, "application/vnd.scores+json")


def test_a_program_without_anything_to_serve_says_what_is_missing(tmp_path: Path) -> None:
    with running("", tmp_path / "log", wait=False, ARGOSY_PREDICTOR="", ARGOSY_MODEL_DIR=str(tmp_path)) as server:
        assert server.popen.wait(30) == 1
        assert "nor an inference script" in server.log
