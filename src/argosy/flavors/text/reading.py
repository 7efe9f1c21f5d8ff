"""Extractive question answering: the span of a text that answers a question.

transformers 5 has no pipeline for it. What is done is what that of version 4.57 did: the text in overlapping windows,
the probabilities of start and end over the tokens of the text, the best spans, whole words.

Source:
    transformers 4.57.1, `pipelines/question_answering.py` (read 2026-11-23).
"""

from typing import Any, Final, NamedTuple

import numpy as np

from argosy.flavors.text.libraries import torch
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
        tokenizer: transformers', a fast one, which knows where in the text a token is.
        model: transformers', in evaluation mode.
    """

    def __init__(self, tokenizer: Any, model: Any) -> None:
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
            stride=min(_STRIDE, self._window // 2),
            padding=True,
            return_overflowing_tokens=True,
            return_tensors="np",
        )
        accepted = (name for name in self._tokenizer.model_input_names if name in windows)
        tensors = {name: torch.as_tensor(windows[name]).to(self._model.device) for name in accepted}
        with torch.inference_mode():
            found = self._model(**tensors)
        found_spans: dict[str, Span] = {}
        count = top_k or 1
        for place in range(len(windows["input_ids"])):
            inside = np.array([part == 1 for part in windows.sequence_ids(place)])
            allowed = inside | (windows["input_ids"][place] == self._tokenizer.cls_token_id)
            starts, ends = (_probabilities(logits[place], allowed) for logits in (found.start_logits, found.end_logits))
            tokens = _best(starts * inside, ends * inside, 2 * count + 10, max_answer_len or _LONGEST)
            for score, first, last in tokens:
                start, end = _characters(windows[place], first, last)
                text = asked.context[start:end]
                known = found_spans.get(text.lower())
                found_spans[text.lower()] = known.more(score) if known else Span(score, start, end, text)
        best = sorted(found_spans.values(), key=lambda span: -span.score)[:count]
        return best[0]._asdict() if len(best) == 1 else [span._asdict() for span in best]


class Span(NamedTuple):
    """A part of the text: its probability, where it starts and ends, and its words."""

    score: float
    start: int
    end: int
    answer: str

    def more(self, score: float) -> "Span":
        """The same words were found once more."""
        return self._replace(score=self.score + score)


def _probabilities(logits: Any, allowed: np.ndarray) -> np.ndarray:
    """Softmax over some of the tokens; 0 for the others."""
    values = np.where(allowed, logits.float().cpu().numpy(), -np.inf)
    found = np.exp(values - values.max())
    return np.asarray(found / found.sum())


def _best(starts: np.ndarray, ends: np.ndarray, count: int, longest: int) -> list[tuple[float, int, int]]:
    """The likeliest spans of tokens: probability, first and last token."""
    both = np.tril(np.triu(np.outer(starts, ends)), longest - 1)
    places = np.argsort(-both, axis=None, kind="stable")[:count]
    firsts, lasts = np.unravel_index(places, both.shape)
    pairs = zip(firsts.tolist(), lasts.tolist(), strict=True)
    return [(float(both[pair]), *pair) for pair in pairs if both[pair] > 0]


def _characters(window: Any, first: int, last: int) -> tuple[int, int]:
    """Where in the text the words of these tokens begin and end."""
    words = window.token_to_word(first), window.token_to_word(last)
    if None in words:
        return int(window.offsets[first][0]), int(window.offsets[last][1])
    return int(window.word_to_chars(words[0], 1)[0]), int(window.word_to_chars(words[1], 1)[1])
