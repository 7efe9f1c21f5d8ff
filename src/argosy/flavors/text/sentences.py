"""One vector for each sentence, from a folder of sentence-transformers: tokens, model, pooling, normalisation.

The computation is that of sentence-transformers 6.2.0 in its order, so that the answers are its own to the last bit,
without its other needs (scikit-learn, scipy).

Source:
    sentence-transformers 6.2.0, `base/model.py` (`_inference`), `sentence_transformer/modules/pooling.py`,
    `base/modules/dense.py` (read 2026-11-23).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from argosy.errors import LoadError
from argosy.flavors.text.libraries import torch

MODULES: Final = "modules.json"
_BATCH: Final = 32
"""Sentences in one pass, as sentence-transformers has it."""
_LEGACY: Final = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_lasttoken": "lasttoken",
}
"""How the pooling is named by versions before 5.3, in the order in which several are put behind each other."""
_KNOWN: Final = "Transformer, then Pooling, then Normalize or nothing"

Step = Callable[[Any, Any], Any]
"""Takes what the step before gave and the attention mask; torch's tensors, which have no types here."""


class SentenceEncoder:
    """Sentences to vectors.

    Args:
        tokenizer: transformers'.
        model: transformers', in evaluation mode.
        folder: What `modules.json` is in.

    Raises:
        LoadError: The folder has a module, a pooling or a prompt that is not known here.
    """

    def __init__(self, tokenizer: Any, model: Any, folder: Path) -> None:
        self._tokenizer = tokenizer
        self._model = model
        self._prompt = _prompt(folder)
        self._max_length = _max_length(folder, tokenizer, model)
        first, *others = read_modules(folder)
        told = _read(folder / first["path"] / "sentence_bert_config.json")
        self._lower = bool(told.get("do_lower_case"))
        self._steps = [_step(module, folder) for module in others]
        self.width = self._pass(["a"]).shape[1]
        """Numbers in a vector."""

    def __call__(self, inputs: str | list[str], **parameters: object) -> np.ndarray:
        """As pipelines are called: the vector of one sentence, or those of several."""
        return self.encode([inputs])[0] if isinstance(inputs, str) else self.encode(inputs)

    def encode(self, sentences: Sequence[str]) -> np.ndarray:
        """The vectors, float32 of shape (sentences, width); the longest sentences share their passes."""
        if not sentences:
            return np.empty((0, self.width), np.float32)
        order = np.argsort([-len(sentence) for sentence in sentences])
        found = []
        for start in range(0, len(order), _BATCH):
            found.append(self._pass([sentences[place] for place in order[start : start + _BATCH]]))
        stacked = found[0] if len(found) == 1 else np.concatenate(found)
        return np.asarray(stacked[np.argsort(order)])

    def _pass(self, sentences: list[str]) -> np.ndarray:
        texts = [self._prompt + sentence for sentence in sentences] if self._prompt else sentences
        texts = [text.lower() for text in texts] if self._lower else texts
        tokens = self._tokenizer(
            texts, padding=True, truncation="longest_first", max_length=self._max_length, return_tensors="pt"
        ).to(self._model.device)
        with torch.inference_mode():
            value = self._model(**tokens).last_hidden_state
            for step in self._steps:
                value = step(value, tokens["attention_mask"])
        vectors: np.ndarray = value.float().cpu().numpy()
        return vectors


def read_modules(folder: Path) -> list[dict[str, str]]:
    """The modules of `modules.json`: `kind` is the last part of the type, `path` its folder.

    Raises:
        LoadError: There are others than a transformer, a pooling and a normalisation.
    """
    where = folder / MODULES
    found = [
        {"kind": str(each.get("type", "")).rpartition(".")[2], "path": str(each.get("path", ""))}
        for each in _read(where, list)
    ]
    kinds = [module["kind"] for module in found]
    if kinds[:2] != ["Transformer", "Pooling"] or kinds[2:] not in ([], ["Normalize"]):
        raise LoadError("modules that are not served", got=", ".join(kinds) or "none", want=_KNOWN, where=where)
    for module in found:
        path = (folder / module["path"]).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise LoadError("a module leads out of the folder", got=f"`{module['path']}`", where=where)
    return found


def _step(module: Mapping[str, str], folder: Path) -> Step:
    if module["kind"] == "Normalize":
        normalize = torch.nn.functional.normalize
        return lambda vectors, mask: normalize(vectors, p=2, dim=-1)
    where = folder / module["path"] / "config.json"
    config = _read(where)
    modes = config.get("pooling_mode") or [mode for name, mode in _LEGACY.items() if config.get(name)] or ["mean"]
    modes = [modes] if isinstance(modes, str) else list(modes)
    known = set(_LEGACY.values())
    if (
        not known.issuperset(modes)
        or config.get("pooling_mode_weightedmean_tokens")
        or not config.get("include_prompt", True)
    ):
        raise LoadError(
            "a pooling that is not served", got=json.dumps(config), want=" or ".join(sorted(known)), where=where
        )
    return lambda tokens, mask: torch.cat([_pooled(mode, tokens, mask) for mode in modes], dim=-1)


def _pooled(mode: str, tokens: Any, mask: Any) -> Any:
    """(sentences, tokens, width) to (sentences, width)."""
    wide = mask.unsqueeze(-1).to(tokens.dtype)
    if mode == "cls":
        first = mask.to(torch.int).argmax(dim=1)
        return tokens[torch.arange(len(tokens), device=tokens.device), first]
    if mode == "max":
        return tokens.masked_fill(wide.expand_as(tokens) == 0, float("-inf")).max(dim=1).values
    if mode == "lasttoken":
        last = mask.shape[1] - 1 - mask.flip(1).argmax(dim=1)
        return tokens[torch.arange(len(tokens), device=tokens.device), last]
    accumulated = torch.float32 if tokens.dtype in (torch.float16, torch.bfloat16) else tokens.dtype
    count = torch.clamp(wide.sum(dim=1, dtype=accumulated), min=1e-9)
    total = (tokens * wide).sum(dim=1, dtype=accumulated)
    return (total / (count if mode == "mean" else torch.sqrt(count))).to(tokens.dtype)


def _prompt(folder: Path) -> str:
    """What stands before each sentence unless a caller says otherwise."""
    told = _read(folder / "config_sentence_transformers.json")
    prompts, name = told.get("prompts") or {}, told.get("default_prompt_name")
    return str(prompts.get(name) or "") if name else ""


def _max_length(folder: Path, tokenizer: Any, model: Any) -> int:
    """Tokens of a sentence that count; what is behind them is cut off."""
    told = _read(folder / read_modules(folder)[0]["path"] / "sentence_bert_config.json").get("max_seq_length")
    if isinstance(told, int):
        return told
    return min(int(tokenizer.model_max_length), int(getattr(model.config, "max_position_embeddings", 512)))


def _read(path: Path, kind: type = dict) -> Any:
    """A JSON file (hence `Any`) that holds an object, or a list."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if kind is dict:
            return {}
        raise LoadError("a file is missing", where=path) from None
    except (OSError, ValueError) as error:
        raise LoadError("is not the JSON that it should be", got=error, where=path) from error
    if not isinstance(found, kind):
        raise LoadError("is not the JSON that it should be", got=type(found).__name__, want=kind.__name__, where=path)
    return found
