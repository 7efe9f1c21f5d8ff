"""Hugging Face: a folder of transformers', or of sentence-transformers'.

Source: transformers 5, `PretrainedConfig.to_dict`, `save_pretrained`; sentence-transformers 5,
`SentenceTransformer.save` (read 2026-11-23).
"""

from pathlib import Path
from typing import Any, Final

import msgspec

from argosy.model_files.contents import json_file, reading
from argosy.model_files.saved_model import SavedModel

CONFIG: Final = "config.json"
MODULES: Final = "modules.json"
_WEIGHTS: Final = ("*.safetensors", "pytorch_model*.bin")
_TASKS: Final = {
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForQuestionAnswering": "question-answering",
    "ForMaskedLM": "fill-mask",
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "ForImageClassification": "image-classification",
    "ForAudioClassification": "audio-classification",
    "Model": "feature-extraction",
}
"""The end of an architecture's name, and the pipeline that it is for."""


_TASK_NEEDS: Final = {"image-classification": ("pillow", "torchvision")}
_PIECES: Final = ("spiece.model", "sentencepiece.bpe.model", "tokenizer.model")


class _Config(msgspec.Struct):
    model_type: str
    architectures: list[str] | None = None
    transformers_version: str | None = None


def read_folder(folder: Path) -> SavedModel | None:
    """A folder that transformers loads; None when it is something else.

    Raises:
        ProjectError: It is one, and is damaged.
    """
    is_sentences = (folder / MODULES).is_file()
    inner = folder if not is_sentences or (folder / CONFIG).is_file() else _first_module(folder)
    path = inner / CONFIG
    if not path.is_file() or not any(any(inner.glob(pattern)) for pattern in _WEIGHTS):
        return None
    with reading(path, "config.json"):
        try:
            config = json_file(path, _Config)
        except msgspec.ValidationError:
            return None
        architecture = next(iter(config.architectures or ()), "")
        task = next((task for end, task in _TASKS.items() if architecture.endswith(end)), None)
        return SavedModel(
            "huggingface",
            folder,
            f"{architecture or config.model_type} of {'sentence-transformers' if is_sentences else 'transformers'}",
            {"transformers": config.transformers_version} if config.transformers_version else {},
            task=None if is_sentences else task,
            requirements=(*_TASK_NEEDS.get(task or "", ()), *_tokenizer_needs(inner)),
            word=(inner / "pytorch_model.bin").relative_to(folder).as_posix(),
            is_pickle=not any(inner.glob("*.safetensors")),
        )


def _tokenizer_needs(folder: Path) -> tuple[str, ...]:
    """What reads a tokenizer that has only the file of SentencePiece."""
    is_slow = not (folder / "tokenizer.json").is_file() and any((folder / name).is_file() for name in _PIECES)
    return ("protobuf", "sentencepiece") if is_slow else ()


def _first_module(folder: Path) -> Path:
    """Where sentence-transformers has the model itself; never out of the folder."""
    with reading(folder / MODULES, "modules.json"):
        listed = json_file(folder / MODULES, list[dict[str, Any]])
        named = folder / str(listed[0]["path"])
    return named if named.resolve().is_relative_to(folder.resolve()) else folder
