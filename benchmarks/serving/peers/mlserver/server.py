"""MLServer: a runtime of our own; its scikit-learn runtime is used where it fits."""

# mypy: ignore-errors
# (the library is in the environment of this peer alone)
import numpy as np
import work
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.handlers import custom_handler
from mlserver.types import InferenceRequest, InferenceResponse
from starlette.requests import Request
from starlette.responses import Response


class Runtime(MLModel):
    """Rows in, predictions out, in the V2 protocol."""

    async def load(self) -> bool:
        """Load the model."""
        self.model = work.load()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """One value for each row."""
        predictions = np.asarray(self.model(NumpyCodec.decode_input(payload.inputs[0])))
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("predictions", predictions)])


class Echo(Runtime):
    """Bytes go through a custom handler; it cannot cross to a worker process."""

    @custom_handler(rest_path="/invocations")
    async def echo(self, request: Request) -> Response:
        """The payload again."""
        return Response(await request.body())
