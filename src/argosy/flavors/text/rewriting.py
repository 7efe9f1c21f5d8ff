"""Text to text: summaries, translations and the like, by `generate` of an encoder-decoder model.

transformers 5 has no pipelines for these tasks. What is done is what those of version 4.57 did: the prefix and the
other `task_specific_params` of config.json, the tokenizer, `generate`, the tokenizer back.

Source:
    transformers 4.57.1, `pipelines/text2text_generation.py` (read 2026-11-23).
"""

from typing import Any, Final

from argosy.flavors.text.libraries import torch

_KEYS: Final = {"summarization": "summary_text", "translation": "translation_text"}


class Rewriter:
    """Texts to new texts.

    Args:
        tokenizer: transformers'.
        model: transformers', in evaluation mode.
        task: One of `tasks.REWRITING`.
    """

    def __init__(self, tokenizer: Any, model: Any, task: str) -> None:
        self._tokenizer = tokenizer
        self._model = model
        self._key = _KEYS.get(task, "generated_text")
        told = getattr(model.config, "task_specific_params", None) or {}
        self._always = dict(told.get(task) or {})
        self._prefix = str(self._always.pop("prefix", None) or getattr(model.config, "prefix", None) or "")

    def __call__(self, inputs: str | list[str], **parameters: Any) -> list[Any]:
        """For a text a list of its new texts, for a list of texts a list of these; each text is a pass of its own."""
        if isinstance(inputs, str):
            return self._one(inputs, parameters)
        return [self._one(text, parameters) for text in inputs]

    def _one(self, text: str, parameters: dict[str, Any]) -> list[dict[str, str]]:
        tokens = self._tokenizer(self._prefix + text, return_tensors="pt").to(self._model.device)
        tokens.pop("token_type_ids", None)  # `generate` refuses them
        with torch.inference_mode():
            found = self._model.generate(**tokens, **{**self._always, **parameters})
        decode = self._tokenizer.decode
        return [{self._key: decode(each, skip_special_tokens=True)} for each in found]
