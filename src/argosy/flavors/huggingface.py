"""A folder of transformers as the pipeline of its task, and one of sentence-transformers as its embeddings."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from argosy.errors import DecodeError, InvocationError
from argosy.flavors.loading import options
from argosy.flavors.loading.framework import framework
from argosy.flavors.text import tasks
from argosy.flavors.text.libraries import torch, transformers
from argosy.flavors.text.model_folder import find_folder, find_weights, load_model, load_part, read_config, task_of
from argosy.flavors.text.reading import Reader
from argosy.flavors.text.rewriting import Rewriter
from argosy.flavors.text.sentences import SentenceEncoder, read_modules
from argosy.flavors.text.tasks import LabelRequest, QuestionRequest, TextRequest
from argosy.serving.inputs.signature import ModelSignature, TensorSpec
from argosy.serving.predictor import Predictor

_ON_GPU: Final = 32
"""Texts in one pass of a pipeline on a GPU. On a CPU it is one: as fast, and no answer depends on its neighbours."""

Ask = Callable[..., Any]
"""Takes one input or a list of them, and parameters, as transformers' pipelines do."""


class HuggingfaceModel(Predictor):
    """A model folder as `save_pretrained` writes it: config.json, model.safetensors, the tokenizer's files.

    The task is `task` of the options, else what `modules.json`, `pipeline_tag` in README.md or `architectures` in
    config.json say. `predict` takes a list of texts, and beside them the requests of SageMaker's Hugging Face toolkit;
    for image classification it takes images. An item gives one answer, whatever is beside it. The sentences of joined
    invocations share their passes: padding then changes the last bits, since sums are taken in another order.

    Nothing is downloaded and no code of the folder is run. Weights in a pickle are read with `weights_only`, and only
    when `file` names them. Not loaded before the fork: torch's threads do not survive one. torch has as many threads as
    are the process's share; a GPU is used when there is one.
    """

    load_before_fork: ClassVar[bool] = False

    def load(self, model_dir: Path) -> None:
        """Load model and tokenizer.

        Raises:
            LoadError: transformers or torch is missing or does not know the model, a file is missing or broken, code of
                the folder would have to be run, or the weights do not fit the task.
        """
        told = options.read()
        folder = find_folder(model_dir, told)
        self._task = task_of(folder, told.task)
        source = folder / read_modules(folder)[0]["path"] if self._task == tasks.SENTENCES else folder
        config = read_config(source)
        weights = find_weights(source, told.file)
        self._row_wise = True if told.row_wise is None else told.row_wise
        transformers.utils.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        torch.set_num_threads(options.threads())
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self._batch = _ON_GPU if device == "cuda" else 1
        self._model = load_model(weights, config, self._task).to(device).eval()
        part = "AutoImageProcessor" if self._task == tasks.IMAGES else "AutoTokenizer"
        self._reader = load_part(part, source, config)
        self._encoder = SentenceEncoder(self._reader, self._model, folder) if self._task == tasks.SENTENCES else None
        self._ask = self._asking()
        self._refused = transformers.pipelines.base.PipelineException

    def signature(self) -> ModelSignature:
        """A list of texts, requests or images; of an embedding its width is known, too."""
        task = tasks.TASKS[self._task]
        inputs, example = task.inputs, task.example
        if self._task == tasks.IMAGES:
            with framework("pillow"):
                import PIL.Image
            inputs = list[PIL.Image.Image]
        if self._task == tasks.MASKS:
            example = [f"A {self._reader.mask_token}."]
        outputs = (TensorSpec("embeddings", "float32", (None, self._encoder.width)),) if self._encoder else ()
        return ModelSignature(inputs=inputs, outputs=outputs, row_wise=self._row_wise, example=example)

    def predict(self, inputs: Any) -> Any:
        """One answer for each item: for an embedding an array, else what the pipeline gives.

        Args:
            inputs: As the signature says (hence `Any`).

        Raises:
            DecodeError: A parameter is not one of the task's, a text is too long, or the pipeline refuses it.
        """
        if self._encoder is not None and all(type(item) is str for item in inputs):
            return self._encoder.encode(inputs)
        requests = (TextRequest, QuestionRequest, LabelRequest)
        if not any(isinstance(item, requests) for item in inputs):
            return self._asked(list(inputs), {})
        return [
            self._asked(item.inputs, self._parameters(item))
            if isinstance(item, requests)
            else self._asked([item], {})[0]
            for item in inputs
        ]

    def _parameters(self, request: TextRequest | QuestionRequest | LabelRequest) -> dict[str, Any]:
        if isinstance(request, LabelRequest):
            return request.parameters.to_dict()
        return tasks.checked(self._task, request.parameters)

    def _asking(self) -> Ask:
        """What answers; all have the form of a pipeline."""
        if self._encoder is not None:
            return self._encoder
        if self._task == tasks.QUESTIONS:
            return Reader(self._reader, self._model)
        if self._task in tasks.REWRITING:
            return Rewriter(self._reader, self._model, self._task)
        part = "image_processor" if self._task == tasks.IMAGES else "tokenizer"
        pipeline: Ask = transformers.pipeline(
            self._task, model=self._model, device=self._model.device, batch_size=self._batch, **{part: self._reader}
        )
        return pipeline

    def _asked(self, inputs: Any, parameters: Mapping[str, Any]) -> Any:
        try:
            found = self._ask(inputs, **parameters)
            # Of a list of one text this pipeline gives what it gives of the text.
            return [found] if self._task == tasks.MASKS and isinstance(inputs, list) and len(inputs) == 1 else found
        except InvocationError:
            raise
        except Exception as error:
            self._refuse_too_long(inputs, error)
            if isinstance(error, self._refused) or (parameters and isinstance(error, ValueError | TypeError)):
                lines = str(error).splitlines() or [type(error).__name__]
                raise DecodeError(f"`{self._task}` refuses the request", got=lines[0][:200]) from error
            raise

    def _refuse_too_long(self, inputs: Any, error: Exception) -> None:
        """Say so if it was the length of a text that the model could not take; looked for only after it failed."""
        most = getattr(self._model.config, "max_position_embeddings", None)
        texts: Sequence[object] = inputs if isinstance(inputs, list) else [inputs]
        if not isinstance(most, int) or not all(isinstance(text, str) for text in texts):
            return
        longest = max((len(self._reader(text)["input_ids"]) for text in texts), default=0)
        if longest > most:
            want = f"at most {most}; some tasks cut it with `truncation` in `parameters`"
            raise DecodeError("a text is too long for the model", got=f"{longest} tokens", want=want) from error
