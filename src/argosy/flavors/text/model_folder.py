"""A folder as transformers' `save_pretrained` writes it: which task, which weights, loaded from these files alone."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from argosy.errors import LoadError
from argosy.flavors.loading import artifacts
from argosy.flavors.loading.framework import installed_version
from argosy.flavors.loading.options import FlavorOptions
from argosy.flavors.text import tasks
from argosy.flavors.text.libraries import transformers
from argosy.flavors.text.sentences import MODULES

CONFIG: Final = "config.json"
_SAFE: Final = ("model.safetensors", "model.safetensors.index.json")
_PICKLED: Final = ("pytorch_model.bin", "pytorch_model.bin.index.json")
_VOCABULARIES: Final = ("tokenizer.json", "vocab.*", "*.model", "*.tiktoken", "tekken.json")
_TAG: Final = re.compile(r"^pipeline_tag:[ \t]*[\"']?([\w-]+)", re.MULTILINE)
_STARTS: Final = {
    b"": "an empty file",
    b"version https://git-lfs": "a pointer of git-lfs, not the file itself",
    b"PK": "an archive, as `torch.save` writes it",
    b"\x80": "a pickle",
}
_NOT_NEEDED: Final = "pooler."
"""A layer that `AutoModel` has and no task here asks."""


def find_folder(model_dir: Path, told: FlavorOptions) -> Path:
    """The folder of the model: that of the artifacts, or the one that is named, or that the named weights are in.

    Raises:
        LoadError: There is no `config.json`, or the weights are not there.
    """
    folder = model_dir
    if not any((model_dir / name).is_file() for name in (CONFIG, MODULES)):
        named = artifacts.located(model_dir, told, "weights of transformers")
        folder = model_dir if named is None else named if named.is_dir() else named.parent
    if not any((folder / name).is_file() for name in (CONFIG, MODULES)):
        raise LoadError("no model of transformers", want=f"`{CONFIG}`, as `save_pretrained` writes it", where=folder)
    return folder


def read_config(folder: Path) -> dict[str, Any]:
    """What `config.json` says (any JSON, hence `Any`).

    Raises:
        LoadError: It is missing or is no JSON object.
    """
    where = folder / CONFIG
    try:
        found = json.loads(where.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LoadError("a file is missing", want=f"`{CONFIG}`, as `save_pretrained` writes it", where=where) from None
    except (OSError, ValueError) as error:
        raise LoadError("is not the JSON that it should be", got=error, where=where) from error
    if not isinstance(found, dict):
        raise LoadError("is not the JSON that it should be", got=type(found).__name__, want="an object", where=where)
    return found


def task_of(folder: Path, told: str | None) -> str:
    """The task: the one that was told, else what the folder says of itself.

    Raises:
        LoadError: It says nothing, or a task that is not served.
    """
    hint = 'in argosy.toml: [model.options] task = "text-classification"'
    if told is not None:
        task = tasks.ALIASES.get(told, "translation" if told.startswith("translation_") else told)
        if task not in tasks.TASKS:
            raise LoadError("a task that is not served", got=f"`{told}`", want=_named(tasks.TASKS), where=folder)
        if task == tasks.SENTENCES and not (folder / MODULES).is_file():
            raise LoadError("no model of sentence-transformers", want=f"`{MODULES}`", where=folder)
        return task
    if (folder / MODULES).is_file():
        return tasks.SENTENCES
    tag = _pipeline_tag(folder)
    if tag in tasks.TASKS and tag != tasks.SENTENCES:
        return tag
    architectures = [str(name) for name in read_config(folder).get("architectures") or ()]
    for architecture in architectures:
        if architecture.endswith("LMHeadModel"):
            return tasks.GENERATION
        for name, known in tasks.TASKS.items():
            if architecture.endswith(known.ending):
                return name
    got = ", ".join(f"`{name}`" for name in architectures) or "no `architectures`"
    raise LoadError("the task is not known", got=got, want=_named(tasks.TASKS), where=folder / CONFIG, hint=hint)


def find_weights(folder: Path, told: str | None) -> Path:
    """The file with the weights, or its index; a pickle only when it was named.

    Raises:
        LoadError: There is none, or only a pickle that was not named, or it is plainly something else.
    """
    is_pickle = told is not None and Path(told).name in _PICKLED
    names = _PICKLED if is_pickle else _SAFE
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        pickled = next((name for name in _PICKLED if (folder / name).is_file()), None)
        if pickled is not None and not is_pickle:
            raise LoadError(
                "weights in a pickle, which can run code when it is loaded",
                got=f"`{pickled}`",
                want="`model.safetensors`",
                where=folder,
                hint=f'model.save_pretrained("model"), or in argosy.toml: [model] file = "{pickled}"',
            )
        raise LoadError("no weights", want=" or ".join(f"`{name}`" for name in names), where=folder)
    with found.open("rb") as file:
        start = file.read(64)
    for mark, told_as in _STARTS.items():
        if found.suffix == ".safetensors" and (start.startswith(mark) if mark else not start):
            raise LoadError("is no file of safetensors", got=told_as, want="weights", where=found)
    return found


def load_model(weights: Path, config: Mapping[str, Any], task: str) -> Any:
    """The model of transformers (which has no types here) in the class of the task.

    Raises:
        LoadError: Code of the folder would have to run, this version does not know the model, the weights are broken,
            or some that the task needs are not among them.
    """
    folder = weights.parent
    kind = str(config.get("model_type"))
    if config.get("auto_map") and kind not in transformers.CONFIG_MAPPING:
        raise LoadError(
            "the model needs code of its own folder, which is not run",
            got=f"`auto_map` and the model type `{kind}`",
            want=f"a model that transformers {installed_version('transformers')} knows",
            where=folder / CONFIG,
            hint="serve it by a predictor of your own: docs/how-to/predictor.md",
        )
    load = getattr(transformers, tasks.TASKS[task].model_class).from_pretrained
    safe = weights.name in _SAFE
    model, told = _loaded(weights, config, load, use_safetensors=safe, output_loading_info=True)
    missing = sorted(name for name in told["missing_keys"] if _NOT_NEEDED not in name or "For" in type(model).__name__)
    if missing:
        raise LoadError(
            f"the weights do not fit `{task}`",
            got=f"{len(missing)} that `{type(model).__name__}` needs are missing: {', '.join(missing[:3])}",
            want=f"a model saved as {', '.join(config.get('architectures') or [type(model).__name__])}",
            where=weights,
            hint='in argosy.toml: [model.options] task = "..." as the model was trained for',
        )
    return model


def load_part(part: str, folder: Path, config: Mapping[str, Any]) -> Any:
    """The tokenizer or image processor of the folder; `part` is the class of transformers.

    Raises:
        LoadError: It is not there, or broken.
    """
    if part == "AutoTokenizer" and not any(next(folder.glob(name), None) for name in _VOCABULARIES):
        names = " or ".join(f"`{name}`" for name in _VOCABULARIES[:2])  # transformers makes one without a vocabulary
        raise LoadError("no tokenizer", want=names, where=folder, hint='tokenizer.save_pretrained("model")')
    return _loaded(folder, config, getattr(transformers, part).from_pretrained)


def _loaded(where: Path, config: Mapping[str, Any], load: Any, **arguments: object) -> Any:
    """Load from the folder alone; whatever is raised becomes one line."""
    folder = where if where.is_dir() else where.parent
    try:
        return load(folder, local_files_only=True, trust_remote_code=False, **arguments)
    except Exception as error:
        name, have = f"{load.__self__.__name__}", installed_version("transformers") or ""
        recorded = config.get("transformers_version")
        saved = f", saved by transformers {recorded}" if recorded else ""
        raise LoadError(
            f"transformers {have} cannot load it as `{name}`",
            got=_line(error),
            want=f"a whole model folder{saved}",
            where=where,
            hint=f"pip install 'transformers>={recorded}'" if recorded and _is_newer(str(recorded), have) else None,
        ) from error


def _is_newer(one: str, other: str) -> bool:
    first, second = ([int(part) for part in re.findall(r"\d+", version)[:2]] for version in (one, other))
    return first > second


def _line(error: BaseException) -> str:
    """The first line of what an exception says, with its type; torch's own advice is to load a pickle all the same."""
    if type(error).__name__ == "UnpicklingError":
        return "a pickle that holds more than weights"
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__


def _pipeline_tag(folder: Path) -> str:
    """`pipeline_tag` of the front matter of README.md, or nothing."""
    try:
        text = (folder / "README.md").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    front = text.split("\n---", 1)[0] if text.startswith("---") else ""
    found = _TAG.search(front)
    return tasks.ALIASES.get(found[1], found[1]) if found else ""


def _named(names: Mapping[str, object]) -> str:
    return ", ".join(f"`{name}`" for name in names)
