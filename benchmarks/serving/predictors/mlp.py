"""A small network in ONNX Runtime."""

from pathlib import Path

import numpy as np
import onnxruntime

from argosy import Predictor


class Network(Predictor):
    """32 features through two layers of 64 to a class."""

    def load(self, model_dir: Path) -> None:
        """One thread: the server is held to one processor."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        path = str(model_dir / "mlp.onnx")
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.given, self.wanted = self.session.get_inputs()[0].name, [self.session.get_outputs()[0].name]

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """One class for each row."""
        predicted: np.ndarray = self.session.run(self.wanted, {self.given: rows.astype(np.float32)})[0]
        return predicted
