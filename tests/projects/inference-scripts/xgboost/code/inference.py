"""In the style of the XGBoost container's examples, with stumps in JSON in the place of a booster."""

import json
import os


class Booster:
    def __init__(self, model_file):
        with open(model_file) as f:
            self.stumps = json.load(f)["stumps"]

    def predict(self, rows):
        return [
            sum(s["left"] if row.get(s["feature"], 0) < s["below"] else s["right"] for s in self.stumps) for row in rows
        ]


def model_fn(model_dir):
    return Booster(os.path.join(model_dir, "xgboost-model"))


def transform_fn(model, request_body, content_type, accept_type):
    if content_type == "text/libsvm":
        lines = [line.split() for line in request_body.decode("utf-8").splitlines()]
        rows = [{int(k): float(v) for k, v in (cell.split(":") for cell in line if ":" in cell)} for line in lines]
    elif content_type == "text/csv":
        rows = [dict(enumerate(map(float, line.split(",")))) for line in request_body.splitlines()]
    else:
        raise ValueError("Content type {} is not supported.".format(content_type))
    predictions = model.predict(rows)
    if accept_type == "text/csv":
        return ",".join(str(p) for p in predictions), accept_type
    return json.dumps(predictions)
