"""In the style of the scikit-learn container's examples: joblib, pandas, plain functions, one module beside it."""

import argparse
import json
import os
from io import StringIO

import joblib
import pandas as pd
from features import NAMES
from sklearn.linear_model import LogisticRegression


def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))


def input_fn(input_data, content_type):
    if content_type == "text/csv":
        frame = pd.read_csv(StringIO(input_data), header=None)
        frame.columns = NAMES
        return frame
    if content_type == "application/json":
        return pd.DataFrame(json.loads(input_data)["instances"], columns=NAMES)
    raise ValueError("{} not supported by script!".format(content_type))


def predict_fn(input_data, model):
    return model.predict_proba(input_data)


def output_fn(prediction, accept):
    if accept == "application/json":
        return json.dumps({"predictions": prediction.tolist()}), accept
    if accept == "text/csv":
        return "\n".join(",".join(str(p) for p in row) for row in prediction), accept
    raise RuntimeError("{} accept type is not supported by this script.".format(accept))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", type=str, default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--model-dir", type=str, default=os.environ.get("SM_MODEL_DIR"))
    args = parser.parse_args()
    table = pd.read_csv(os.path.join(args.train, "iris.csv"))
    model = LogisticRegression(max_iter=500).fit(table[NAMES], table["species"])
    joblib.dump(model, os.path.join(args.model_dir, "model.joblib"))
