"""Extractive question answering: the span of a text that answers a question.

transformers 5 has no pipeline for it. What is done is what that of version 4.57 did: the text in overlapping windows, the
probabilities of start and end over the tokens of the text, the best spans.

Source:
    transformers 4.57.1, `pipelines/question_answering.py` (read 2026-11-23).
"""

from typing import Any, Final

import numpy as np

from argosy.flavors.text.tasks import Question

_WINDOW: Final = 384
"""Tokens of question and text together in one pass."""
_STRIDE: Final = 128
"""Tokens that a window shares with the one before."""
_LONGEST: Final = 15
"""Tokens of an answer."""


class Reader:
    """Questions to answers.

    Args:
        torch: The module.
        tokenizer: transformers', a fast one, which knows where in the text a token is.
        model: transformers', in evaluation mode.
    """

    def __init__(self, torch: Any, tokenizer: Any, model: Any) -> None:
        self._torch = torch
        self._tokenizer = tokenizer
        self._model = model
        self._window = min(_WINDOW, int(getattr(model.config, "max_position_embeddings", _WINDOW)))

    def __call__(self, inputs: Question | list[Question], **parameters: Any) -> Any:
        """For a question `{"score", "start", "end", "answer"}`, or a list of so many as `top_k` says."""
        if isinstance(inputs, Question):
            return self._one(inputs, **parameters)
        return [self._one(question, **parameters) for question in inputs]

    def _one(self, asked: Question, top_k: int | None = None, max_answer_len: int | None = None) -> Any:
        windows = self._tokenizer(
            asked.question,
            asked.context,
            truncation="only_second",
            max_length=self._window,
            stride=min(_STRIDE, self._window // 4),
            padding=True,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_tensors="np",
        )
        accepted = (name for name in self._tokenizer.model_input_names if name in windows)
        tensors = {name: self._torch.as_tensor(windows[name]).to(self._model.device) for name in accepted}
        with self._torch.inference_mode():
            found = self._model(**tensors)
        spans = []
        for place in range(len(windows["offset_mapping"])):
            inside = np.array([part == 1 for part in windows.sequence_ids(place)])
            starts, ends = (_probabilities(logits[place], inside) for logits in (found.start_logits, found.end_logits))
            spans += _spans(starts, ends, top_k or 1, max_answer_len or _LONGEST, windows["offset_mapping"][place])
        spans.sort(key=lambda span: -span[0])
        answers = [
            {"score": score, "start": start, "end": end, "answer": asked.context[start:end]}
            for score, start, end in spans[: top_k or 1]
        ]
        return answers if top_k is not None and top_k > 1 else answers[0]


def _probabilities(logits: Any, inside: np.ndarray) -> np.ndarray:
    """Softmax over the tokens of the text; 0 for the others."""
    values = np.where(inside, logits.float().cpu().numpy(), -np.inf)
    found: np.ndarray = np.exp(values - values.max())
    return found / found.sum()


def _spans(
    starts: np.ndarray, ends: np.ndarray, count: int, longest: int, offsets: np.ndarray
) -> list[tuple[float, int, int]]:
    """The likeliest spans of a window: probability, and where they start and end in the text."""
    both = np.tril(np.triu(np.outer(starts, ends)), longest - 1)
    best = np.argsort(-both, axis=None, kind="stable")[:count]
    places = zip(*np.unravel_index(best, both.shape), strict=True)
    return [(float(both[start, end]), int(offsets[start][0]), int(offsets[end][1])) for start, end in places]
