# The model behind Flask: a health check, and rows of CSV in, a prediction a row out.
import csv
import io
import json
from pathlib import Path

import flask

MODEL_PATH = Path("/opt/ml/model")


class ScoringService:
    model = None

    @classmethod
    def get_model(cls):
        if cls.model is None:
            cls.model = json.loads((MODEL_PATH / "weights.json").read_text())
        return cls.model

    @classmethod
    def predict(cls, rows):
        model = cls.get_model()
        weights, intercept = model["weights"], model["intercept"]
        return [intercept + sum(w * x for w, x in zip(weights, row, strict=True)) for row in rows]


app = flask.Flask(__name__)


@app.route("/ping", methods=["GET"])
def ping():
    try:
        healthy = ScoringService.get_model() is not None
    except OSError:
        healthy = False
    return flask.Response(response="\n", status=200 if healthy else 404, mimetype="application/json")


@app.route("/invocations", methods=["POST"])
def transformation():
    # The whole body before any answer: gunicorn closes on a body left unread, and nginx makes a 502 of that.
    body = flask.request.get_data()
    if flask.request.mimetype != "text/csv":
        return flask.Response(response="This predictor only supports CSV data", status=415, mimetype="text/plain")
    try:
        text = body.decode("utf-8")
        rows = [[float(cell) for cell in row] for row in csv.reader(io.StringIO(text))]
        predictions = ScoringService.predict(rows)
    except ValueError:
        return flask.Response(response="Not rows of four numbers", status=400, mimetype="text/plain")
    if not rows:
        return flask.Response(response="No rows", status=400, mimetype="text/plain")
    return flask.Response(response="".join(f"{p}\n" for p in predictions), status=200, mimetype="text/csv")
