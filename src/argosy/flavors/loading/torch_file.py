"""Which of PyTorch's formats a file is, told from its content, and whether reading it would run a pickle."""

import io
import json
import logging
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any, Final

from argosy.errors import LoadError
from argosy.flavors.loading.framework import framework

with framework("torch"):
    import torch

HOW_TO_SAVE: Final = (
    "save a program: torch.export.save(torch.export.export(model.eval(), (example,)), 'model.pt2'); "
    "or the weights: torch.save(model.state_dict(), 'model.pt'), and name the class in [model.options]"
)
_ZIP: Final = b"PK\x03\x04"
_PICKLE: Final = b"\x80"
_OLD_TORCH: Final = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""What `torch.save` wrote first until 1.6 (MAGIC_NUMBER in torch/serialization.py, read 2026-11-23)."""
_LENGTH_BYTES: Final = 8
"""A safetensors file begins with the length of its header, little-endian (safetensors, README, read 2026-11-23)."""
_BLOCK_BYTES: Final = 1 << 20
_LONGEST_REASON: Final = 400
_GLOBAL: Final = re.compile(r"[Uu]nsupported (?:global|class).*?GLOBAL ([\w.]+)", re.DOTALL)
_OPERATOR: Final = re.compile(r"Unknown builtin op: (\w+)::|_OpNamespace' '(\w+)'")


class Format(StrEnum):
    """How a model was saved."""

    PROGRAM = "an ExportedProgram"
    SCRIPT = "TorchScript"
    WEIGHTS = "a state_dict"
    OLD_WEIGHTS = "a state_dict of PyTorch before 1.6"
    SAFETENSORS = "safetensors"


def format_of(path: Path) -> Format:
    """The format of a file that is whole.

    Raises:
        LoadError: It is empty, cut off, damaged, or nothing that is served; says what it is instead.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_LENGTH_BYTES + len(_OLD_TORCH))
    if head.startswith(_ZIP):
        _require_whole(path)
        with zipfile.ZipFile(path) as archive:
            return _format_of_archive(path, archive)
    if head.startswith(_OLD_TORCH):
        return Format.OLD_WEIGHTS
    length = int.from_bytes(head[:_LENGTH_BYTES], "little")
    if head[_LENGTH_BYTES : _LENGTH_BYTES + 1] == b"{" and length < 100 * 2**20:
        if size < _LENGTH_BYTES + length:
            raise LoadError("the file is cut off", got=f"{size} bytes of a header of {length}", where=path)
        return Format.SAFETENSORS
    got = "an empty file" if not head else "a pickle" if head.startswith(_PICKLE) else "something else"
    raise LoadError("the file is none of PyTorch's", got=got, want=_wanted(), where=path, hint=HOW_TO_SAVE)


def require_no_pickles(path: Path) -> None:
    """Refuse an ExportedProgram of which PyTorch would unpickle a part without restraint.

    It does so with weights and constants of classes of one's own, and with example inputs that are more than tensors
    (torch/export/pt2_archive/_package.py and torch/_export/serde/serialize.py of 2.13.0, read 2026-11-23).

    Raises:
        LoadError: There is one.
    """
    with zipfile.ZipFile(path) as archive:
        pickles = [member for member in _doubtful(archive) if not _is_plain(archive.read(member))]
    if pickles:
        raise LoadError(
            "the program holds a pickle, which runs code when it is read",
            got=f"`{pickles[0]}`",
            want="tensors and plain values",
            where=path,
            hint=f'if the file is your own, say so under [model] in argosy.toml: file = "{path.name}"',
        )


def read_program(path: Path) -> Any:
    """An ExportedProgram.

    Raises:
        LoadError: This PyTorch does not understand it.
    """
    overheard = _Overheard()
    logger = logging.getLogger("torch.export")
    propagates, logger.propagate = logger.propagate, False
    logger.addHandler(overheard)
    try:
        with path.open("rb") as file, _telling(path, Format.PROGRAM, overheard):
            return torch.export.load(file)
    finally:
        logger.removeHandler(overheard)
        logger.propagate = propagates


def read_script(path: Path) -> Any:
    """A TorchScript module, ready to predict.

    Raises:
        LoadError: This PyTorch does not understand it.
    """
    with _telling(path, Format.SCRIPT):
        module = torch.jit.load(str(path), map_location="cpu")
        return module.eval() if hasattr(module, "training") else module  # one that was frozen has no modes


def read_weights(path: Path, found: Format) -> dict[str, Any]:
    """The tensors of a state_dict or safetensors file, which stay in the file until they are used.

    Raises:
        LoadError: It is damaged, holds something else than tensors by name, or a pickle of anything else.
    """
    with _telling(path, found):
        if found is Format.SAFETENSORS:
            with framework("safetensors"):
                import safetensors.torch  # here: the other formats do without
            weights: Any = safetensors.torch.load_file(path, device="cpu")
        else:
            weights = torch.load(path, map_location="cpu", mmap=found is Format.WEIGHTS, weights_only=True)
    if not isinstance(weights, dict):
        raise LoadError("the file is no state_dict", got=f"a `{type(weights).__name__}`", where=path, hint=HOW_TO_SAVE)
    others = [name for name, value in weights.items() if not _is_weight(name, value)]
    if others:
        inner = next((name for name in others if isinstance(weights[name], dict)), "state_dict")
        names = ", ".join(f"`{name}`" for name in list(weights)[:4])
        command = f"import torch; f = '{path.name}'; torch.save(torch.load(f)['{inner}'], f)"
        raise LoadError(
            "the file holds more than weights", got=names, want="a state_dict alone", where=path,
            hint=f'python -c "{command}"',
        )  # fmt: skip
    return weights


def one_line(error: BaseException) -> str:
    """What PyTorch says, in one line without its advice."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    text = text.partition("This is an internal miniz error")[0]
    return " ".join(text.split())[:_LONGEST_REASON]


def _require_whole(path: Path) -> None:
    """Refuse an archive that is cut off, or whose parts are not what their checksums say; PyTorch does not look.

    A file that was written without checksums (`torch.serialization.set_crc32_options(False)`) has zeros there.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.CRC:
                    with archive.open(member) as part:
                        while part.read(_BLOCK_BYTES):
                            pass
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
        got = " ".join(str(error).split())
        raise LoadError("the file is damaged or cut off", got=got, where=path, hint="copy it here again") from error


def _format_of_archive(path: Path, archive: zipfile.ZipFile) -> Format:
    names = archive.namelist()
    parts = {name.partition("/")[2] for name in names}  # all are in a folder that is called as the file was
    if any(part.startswith("data/aotinductor/") for part in parts):
        got = "a package of AOTInductor, which is machine code of the processor that it was compiled for"
        raise LoadError("the file is not served", got=got, want=_wanted(), where=path, hint=HOW_TO_SAVE)
    if "archive_format" in parts or "serialized_exported_program.json" in names:
        return Format.PROGRAM
    if "data.pkl" in parts:
        return Format.SCRIPT if "constants.pkl" in parts else Format.WEIGHTS
    got = f"a zip archive with `{names[0]}`" if names else "an empty zip archive"
    raise LoadError("the file is none of PyTorch's", got=got, want=_wanted(), where=path, hint=HOW_TO_SAVE)


def _doubtful(archive: zipfile.ZipFile) -> Iterator[str]:
    """The members of an ExportedProgram that are pickles."""
    for member in archive.namelist():
        name = PurePosixPath(member).name
        if name.endswith("_config.json"):
            entries: dict[str, Any] = json.loads(archive.read(member)).get("config", {})  # Any: torch's own records
            for entry in entries.values():
                if entry.get("use_pickle") and not str(entry.get("path_name")).startswith("custom_obj"):
                    yield f"{PurePosixPath(member).parent}/{entry.get('path_name')}"
        elif name.endswith(".pt"):
            yield member


def _is_plain(pickled: bytes) -> bool:
    """Whether it holds nothing but tensors and plain containers."""
    try:
        torch.load(io.BytesIO(pickled), weights_only=True) if pickled else None
    except Exception:  # torch's own class of it is private, and a damaged pickle raises anything
        return False
    return True


def _wanted() -> str:
    return f"{', '.join([Format.PROGRAM, Format.SCRIPT, Format.WEIGHTS])} or {Format.SAFETENSORS}"


class _Overheard(logging.Handler):
    """Keeps the reason that `torch.export.load` only logs, before it raises an error that says to look there."""

    def __init__(self) -> None:
        super().__init__()
        self.reason: BaseException | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.reason = record.exc_info[1]


@contextmanager
def _telling(path: Path, found: Format, overheard: _Overheard | None = None) -> Iterator[None]:
    """Tell in one line why a file cannot be read."""
    try:
        yield
    except (LoadError, MemoryError):
        raise
    except Exception as error:  # PyTorch raises anything
        reason = (overheard.reason if overheard else None) or error
        if name := _GLOBAL.search(str(reason)):
            raise LoadError(
                "the file is a pickle of objects, which runs code when it is read, and is not read",
                got=f"`{name[1]}`", want="tensors alone", where=path, hint=HOW_TO_SAVE,
            ) from error  # fmt: skip
        what = f"{found} cannot be read by PyTorch {torch.__version__}"
        raise LoadError(what, got=one_line(reason), where=path, hint=_mending(path, found, reason)) from error


def _mending(path: Path, found: Format, reason: BaseException) -> str:
    if isinstance(reason, ModuleNotFoundError):
        return f"pip install {reason.name}"
    if operator := _OPERATOR.search(str(reason)):
        return f"`{operator[1]}` has it: write a predictor of your own that imports that before it loads the file"
    recorded = _recorded_version(path) if found is Format.PROGRAM else None
    if recorded is not None and recorded != torch.__version__:
        return f"it was saved by PyTorch {recorded}: pip install torch=={recorded.partition('+')[0]}"
    if "maximum supported version" in str(reason):
        return "it was saved by a newer one: pip install --upgrade torch"
    return "save it again with this version of PyTorch, or copy it here again"


def _recorded_version(path: Path) -> str | None:
    """The version of PyTorch that exported a program; None where the file does not say."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            if member.endswith("models/model.json"):
                told = json.loads(archive.read(member)).get("torch_version")
                return told if isinstance(told, str) else None
    return None


def _is_weight(name: object, value: object) -> bool:
    return isinstance(name, str) and (isinstance(value, torch.Tensor) or name.endswith("_extra_state"))
