"""An inference script for sagemaker-inference, the AWS toolkit on top of multi-model-server."""

# mypy: ignore-errors
# (the library is in the environment of this peer alone)
import numpy as np
import work


def model_fn(model_dir):
    """Load the model."""
    return work.load()


if work.WORK == "echo":

    def transform_fn(model, data, content_type, accept):
        """The payload again."""
        return bytes(data)

else:

    def predict_fn(rows, model):
        """One value for each row; the toolkit's own decoders and encoders are round it."""
        return np.asarray(model(np.atleast_2d(rows)))
