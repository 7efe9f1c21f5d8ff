# The web server of the walk-through: two endpoints, written by hand with Flask.
import json
from pathlib import Path

from flask import Flask, request

LABEL_FILE = Path("/opt/ml/model/label.txt")

app = Flask(__name__)


# Health check
@app.route("/ping")
def ping():
    return ""


# Inference
@app.route("/invocations", methods=["POST"])
def invocations():
    text = request.get_data().decode("utf-8")
    label = LABEL_FILE.read_text().strip()
    return json.dumps({"prediction": label, "text": text})
