"""The Flask application of AWS's "bring your own container" sample, with this benchmark's models."""

# mypy: ignore-errors
# (the library is in the environment of this peer alone)
import io

import flask
import pandas as pd
import work

app = flask.Flask(__name__)
model = work.load()


@app.route("/ping", methods=["GET"])
def ping():
    """Healthy once the model is loaded."""
    return flask.Response(response="\n", status=200, mimetype="application/json")


@app.route("/invocations", methods=["POST"])
def invoke():
    """CSV by pandas, as the sample does it."""
    body, content_type = flask.request.data, flask.request.content_type or ""
    if work.WORK.startswith("stream"):
        return flask.Response(work.parts(), mimetype="text/event-stream")
    if "csv" in content_type:
        rows = pd.read_csv(io.StringIO(body.decode("utf-8")), header=None).values
        return flask.Response(response=work.dump(model(rows)), status=200, mimetype="application/json")
    return flask.Response(response=work.answer(model, body, content_type), status=200)
