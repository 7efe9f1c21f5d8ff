"""The tasks of transformers' pipelines: which model class, which inputs, and what a request may say beside them.

A pipeline hands parameters on to whatever it calls, and `generate` takes one that loads code. So each task has a list
of what a request may say, and nothing else passes.

Source:
    transformers 5.23.0, `_sanitize_parameters` of `pipelines/*.py`; `{"inputs": ..., "parameters": {...}}` as requests
    of the SageMaker Hugging Face Inference Toolkit 2.6.0 have it (handler_service.py), read 2026-11-23.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from argosy.errors import DecodeError

Kinds = tuple[type, ...]
_NUMBER: Final[Kinds] = (int, float)
_NAMES: Final[Kinds] = (str, list)
_GENERATION: Final[Mapping[str, Kinds]] = {
    "max_new_tokens": (int,),
    "max_length": (int,),
    "min_new_tokens": (int,),
    "min_length": (int,),
    "do_sample": (bool,),
    "temperature": _NUMBER,
    "top_k": (int,),
    "top_p": _NUMBER,
    "num_beams": (int,),
    "num_return_sequences": (int,),
    "length_penalty": _NUMBER,
    "repetition_penalty": _NUMBER,
    "no_repeat_ngram_size": (int,),
    "early_stopping": (bool,),
}


@dataclass(frozen=True, slots=True)
class TextRequest:
    """One text or several, and how they are to be treated.

    Attributes:
        inputs: The text or texts.
        parameters: What the task knows of.
    """

    inputs: str | list[str]
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the text that holds its answer.

    Attributes:
        question: The question.
        context: The text.
    """

    question: str
    context: str


@dataclass(frozen=True, slots=True)
class QuestionRequest:
    """A question, and how it is to be treated.

    Attributes:
        inputs: The question with its text.
        parameters: What the task knows of.
    """

    inputs: Question
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Labels:
    """Between what a text is to be told apart.

    Attributes:
        candidate_labels: The labels.
        multi_label: Whether several may be true.
        hypothesis_template: The sentence that each label is put into, at `{}`.
    """

    candidate_labels: list[str]
    multi_label: bool = False
    hypothesis_template: str = "This example is {}."

    def to_dict(self) -> dict[str, Any]:
        """As the pipeline's arguments."""
        return {
            "candidate_labels": self.candidate_labels,
            "multi_label": self.multi_label,
            "hypothesis_template": self.hypothesis_template,
        }


@dataclass(frozen=True, slots=True)
class LabelRequest:
    """One text or several, and the labels to choose from.

    Attributes:
        inputs: The text or texts.
        parameters: The labels.
    """

    inputs: str | list[str]
    parameters: Labels


@dataclass(frozen=True, slots=True)
class Task:
    """What a model is asked for.

    Attributes:
        model_class: Of transformers: the class that loads such models.
        ending: How the names of such architectures end.
        parameters: What a request may say, and the types of its values; null is always allowed.
        inputs: What `predict` takes.
        example: What a client could send, JSON-like; None where it costs too much to ask at each start.
    """

    model_class: str
    ending: str
    parameters: Mapping[str, Kinds] = field(default_factory=dict)
    inputs: object = list[str | TextRequest]
    example: object = ("A sentence to warm up with.",)


FEATURES: Final = "feature-extraction"
SENTENCES: Final = "sentence-similarity"
IMAGES: Final = "image-classification"
QUESTIONS: Final = "question-answering"
LABELS: Final = "zero-shot-classification"
MASKS: Final = "fill-mask"
GENERATION: Final = "text-generation"
REWRITING: Final = ("text2text-generation", "summarization", "translation")
_REWRITING: Final = Task("AutoModelForSeq2SeqLM", "ForConditionalGeneration", _GENERATION, example=None)

TASKS: Final[Mapping[str, Task]] = {
    "text-classification": Task(
        "AutoModelForSequenceClassification",
        "ForSequenceClassification",
        {"top_k": (int,), "function_to_apply": (str,), "truncation": (bool,)},
    ),
    "token-classification": Task(
        "AutoModelForTokenClassification",
        "ForTokenClassification",
        {"aggregation_strategy": (str,), "ignore_labels": (list,), "stride": (int,)},
    ),
    FEATURES: Task("AutoModel", "Model", {"truncation": (bool,)}),
    SENTENCES: Task("AutoModel", "Model"),
    MASKS: Task("AutoModelForMaskedLM", "ForMaskedLM", {"top_k": (int,), "targets": _NAMES}),
    GENERATION: Task("AutoModelForCausalLM", "ForCausalLM", {**_GENERATION, "return_full_text": (bool,)}, example=None),
    LABELS: Task(
        "AutoModelForSequenceClassification",
        "ForSequenceClassification",
        inputs=list[LabelRequest],
        example={"inputs": "A sentence to warm up with.", "parameters": {"candidate_labels": ["one", "other"]}},
    ),
    QUESTIONS: Task(
        "AutoModelForQuestionAnswering",
        "ForQuestionAnswering",
        {"top_k": (int,), "max_answer_len": (int,)},
        inputs=list[Question | QuestionRequest],
        example={"question": "Who warms up?", "context": "The model warms up."},
    ),
    **dict.fromkeys(REWRITING, _REWRITING),
    IMAGES: Task(
        "AutoModelForImageClassification",
        "ForImageClassification",
        inputs=None,  # Pillow's, which is only asked for when there are images
        example=None,
    ),
}
ALIASES: Final[Mapping[str, str]] = {
    "sentiment-analysis": "text-classification",
    "ner": "token-classification",
    "sentence-embedding": SENTENCES,
}
"""Other names for them, the first two transformers' own."""


def checked(task: str, parameters: Mapping[str, object]) -> dict[str, Any]:
    """The parameters of a request, which are for the pipeline (hence `Any`).

    Raises:
        DecodeError: The task does not know one, or its value is of another type.
    """
    known = TASKS[task].parameters
    for name, value in parameters.items():
        if name not in known:
            named = ", ".join(f"`{each}`" for each in sorted(known)) or "none"
            raise DecodeError(f"`{task}` has no parameter `{name}`", want=f"one of {named}", where="`parameters`")
        kinds = known[name]
        is_right = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
        if value is not None and not is_right:
            want = " or ".join(kind.__name__ for kind in kinds)
            raise DecodeError(
                "a parameter is of the wrong type", got=type(value).__name__, want=want, where=f"`{name}`"
            )
    return dict(parameters)
