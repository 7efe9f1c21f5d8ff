"""Flavor and saved model -> what the image has to have installed: the framework's runtime, and nothing for training."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from argosy.errors import ResolutionError
from argosy.model_files.saved_model import SavedModel
from argosy.project import Project

GPU_VARIABLE: Final = "NVIDIA_VISIBLE_DEVICES"
"""Set in `[image.environment]`, it asks for GPUs. Source: docs.nvidia.com, "NVIDIA Container Toolkit", "Specialized
Configurations with Docker" (read 2026-11-23)."""
TORCH: Final = "2.13.0"
"""The PyTorch that is installed where the saved model does not say which: it reads what older ones saved."""
OLDEST_TRANSFORMERS: Final = "4.57"
FIRST_MLFLOW_WITHOUT_SETUPTOOLS: Final = "2.22"
"""Those before it import `pkg_resources`, which setuptools 81 has no more."""
OLDEST_KERAS: Final = "3.13.2"
"""Older ones run code of a file in spite of the safe mode. Source: CVE-2026-1462 (read 2026-11-23)."""
OLDEST_XGBOOST: Final = "2.1.4"
"""The oldest of which there are builds for CPUs; it reads what older ones saved."""
FIRST_WITH_NUMPY_2: Final[Mapping[str, str]] = {"scikit-learn": "1.4.2", "torch": "2.3.0", "catboost": "1.2.8"}
"""The first releases that are built for NumPy 2: older ones do not all say that they cannot be imported with it."""
FIRST_LEAN_TENSORFLOW: Final = "2.16"
"""Those before it import more of what they ask for: 2.12 wants `distutils`, which setuptools brings where Python has
none (tried on 2026-11-23). It is the first for a Python without `distutils`, 3.12."""
MXNET: Final = "mxnet==1.9.1"
"""The last release, which loads what all before it saved; they have no wheel for this Python."""
MXNET_NUMPY: Final = "numpy==1.23.5"
"""The last NumPy that MXNet 1.9.1 can be imported with: it uses `numpy.bool`, which 1.24 has no more."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """What an image needs for a saved model.

    Attributes:
        model: What was found in the artifacts; None where they told nothing.
        requirements: In pip's words.
        excluded: Distributions that the requirements ask for and no prediction imports.
        torch: The version of PyTorch whose build for CPUs is wanted; None where none is.
        system_packages: Debian packages that a wheel's libraries need.
        unneeded_libraries: What a wheel's programs name, the image lacks, and nothing that serves loads.
    """

    model: SavedModel | None
    requirements: tuple[str, ...]
    excluded: tuple[str, ...] = ()
    torch: str | None = None
    system_packages: tuple[str, ...] = ()
    unneeded_libraries: tuple[str, ...] = ()

    @property
    def lines(self) -> list[str]:
        """What the resolver is asked first: PyTorch for CPUs as users' own indexes and folders have it."""
        return [*self.requirements, *([f"torch=={self.torch}+cpu"] if self.torch else [])]

    @property
    def other_lines(self) -> list[str]:
        """What it is asked where they have none: PyTorch from its own index of builds for CPUs."""
        return [*self.requirements, *([f"torch=={self.torch}"] if self.torch else [])]


@dataclass(frozen=True, slots=True)
class _Framework:
    """How a flavor's runtime is installed.

    Attributes:
        cpu: The distribution for CPUs.
        gpu: What is required for GPUs, version to come.
        recorded: The name by which the saved model records its version; empty where it does not.
        excluded: What no prediction imports.
        system_packages: What its libraries need.
        unneeded_libraries: What only its plugins for other hardware need.
    """

    cpu: str
    gpu: str
    recorded: str = ""
    excluded: tuple[str, ...] = ()
    system_packages: tuple[str, ...] = ()
    unneeded_libraries: tuple[str, ...] = ()


_TRAINING: Final = (
    "charset-normalizer",
    "google-pasta",
    "grpcio",
    "libclang",
    "markdown-it-py",
    "mdurl",
    "pygments",
    "setuptools",
    "tensorboard",
    "wheel",
)
"""What TensorFlow asks for and imports neither to load a model nor to predict."""
_OF_KERAS: Final = ("h5py", "keras", "namex", "optree", "rich")
"""What it asks for beyond that, and a SavedModel does not need."""
_FRAMEWORKS: Final[Mapping[str, _Framework]] = {
    "onnx": _Framework(
        "onnxruntime",
        "onnxruntime-gpu[cuda,cudnn]",
        excluded=("coloredlogs", "flatbuffers", "humanfriendly", "packaging", "protobuf", "sympy"),
    ),
    "sklearn": _Framework("scikit-learn", "scikit-learn", "scikit-learn"),
    "xgboost": _Framework("xgboost-cpu", "xgboost", "xgboost"),
    "lightgbm": _Framework("lightgbm", "lightgbm", system_packages=("libgomp1",)),
    "catboost": _Framework("catboost", "catboost", "catboost", ("graphviz", "matplotlib", "plotly")),
    "tensorflow": _Framework("tensorflow-cpu", "tensorflow[and-cuda]", "tensorflow", (*_TRAINING, *_OF_KERAS)),
    "keras": _Framework("tensorflow-cpu", "tensorflow[and-cuda]", excluded=_TRAINING),
    "litert": _Framework(
        "ai-edge-litert",
        "ai-edge-litert",
        excluded=("backports-strenum", "flatbuffers", "ml-dtypes", "protobuf", "tqdm", "typing-extensions"),
        unneeded_libraries=("libQnn*.so*", "libopenvino*.so*"),
    ),
    "mxnet": _Framework("mxnet", "mxnet", "mxnet", ("graphviz",), ("libgomp1", "libquadmath0")),
}
"""Those that are one distribution. What is excluded was found by importing and predicting without it, on 2026-11-23."""

_FOR_CPU: Final = {"tensorflow": "tensorflow-cpu", "xgboost": "xgboost-cpu", "mlflow": "mlflow-skinny"}
"""What stands in for a distribution that a saved model asks for."""
_VERSION: Final = re.compile(r"[0-9][0-9A-Za-z.+!-]*")
_TORCH_TOOLS: Final = ("jinja2", "setuptools")
"""What PyTorch's compilers need, and no prediction."""
_PYFUNC: Final = ("numpy", "pandas")
"""What MLflow's python_function imports, and the smaller distribution does not ask for."""
_OF_MLFLOW: Final = (
    *("cffi", "cryptography", "gitdb", "gitpython", "google-auth", "prettytable", "pyasn1", "pyasn1-modules"),
    *("pycparser", "python-dotenv", "smmap", "wcwidth"),
)
"""What MLflow asks for to track and to log in, and no python_function imports; found as for `_FRAMEWORKS`."""
_WITHOUT_THEM: Final = {
    *("catboost", "cloudpickle", "joblib", "lightgbm", "mlflow", "mlflow-skinny", "numpy", "onnx", "onnxruntime"),
    *("pandas", "scikit-learn", "scipy", "skops", "torch", "xgboost", "xgboost-cpu"),
}
"""Distributions that need none of these; a model that asks for any other gets them all."""
_BY_MODULE: Final = {
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
    "imblearn": "imbalanced-learn",
}


def runtime_of(project: Project) -> Runtime | None:
    """What the image of a project needs for its flavor; None without one, and where the project says what it needs.

    Raises:
        ProjectError: The saved model is damaged, or there are several.
        ResolutionError: The saved model asks for something that no index has.
    """
    flavor = project.model.flavor
    if flavor is None or project.dependencies:
        return None
    model = project.saved_model()
    if model is not None:
        _require_versions(model)
    has_gpu = project.image.environment.get(GPU_VARIABLE, "none") not in ("", "none", "void")
    match flavor:
        case "torch":
            return _torch(model, (), has_gpu=has_gpu)
        case "huggingface":
            return _torch(model, (_transformers(model), *_wants(model)), has_gpu=has_gpu)
        case "mlflow":
            return _mlflow(model, has_gpu=has_gpu)
        case _:
            return _plain(flavor, model, has_gpu=has_gpu)


def _require_versions(model: SavedModel) -> None:
    """Refuse what a saved model records in place of a version: it is to stand in a requirement."""
    for name, version in model.versions.items():
        if not _VERSION.fullmatch(version):
            raise ResolutionError(
                f"a saved model records something else than a version of `{name}`", got=ascii(version), where=model.path
            )


def _plain(flavor: str, model: SavedModel | None, *, has_gpu: bool) -> Runtime:
    framework = _FRAMEWORKS[flavor]
    distribution = framework.gpu if has_gpu else framework.cpu
    lines = [_with_builds(f"{distribution}{_pinned(model, framework.recorded)}")]
    excluded, system = list(framework.excluded), list(framework.system_packages)
    if has_gpu or (flavor == "tensorflow" and _release(lines[0]) < _release(FIRST_LEAN_TENSORFLOW)):
        excluded = []
    if flavor == "keras":
        lines.append(_keras(model))
    if flavor == "mxnet":
        lines = [MXNET, MXNET_NUMPY]
    if model is not None and "skops" in model.versions:
        lines.append(f"skops=={model.versions['skops']}")
        excluded += ["prettytable", "wcwidth"]
    for module in sorted(_BY_MODULE.keys() & (model.modules if model is not None else ())):
        lines.append(_BY_MODULE[module] if has_gpu else _FOR_CPU.get(module, _BY_MODULE[module]))
        known = _FRAMEWORKS.get(module)
        excluded += known.excluded if known is not None else ()
        system += known.system_packages if known is not None else ()
    lines += _older_numpy(lines)
    packages, unneeded = tuple(sorted(set(system))), framework.unneeded_libraries
    return Runtime(model, (*lines, *_wants(model)), tuple(excluded), None, packages, unneeded)


def _with_builds(line: str) -> str:
    """A requirement, or the oldest XGBoost for CPUs in place of an older one."""
    is_old = line.startswith("xgboost-cpu==") and _release(line) < _release(OLDEST_XGBOOST)
    return f"xgboost-cpu=={OLDEST_XGBOOST}" if is_old else line


def _older_numpy(lines: Iterable[str]) -> Iterator[str]:
    """`numpy<2`, where one of the requirements is pinned to a release from before it."""
    for line in lines:
        name, is_pinned, version = line.partition("==")
        if is_pinned and _release(version) < _release(FIRST_WITH_NUMPY_2.get(name, "0")):
            yield "numpy<2"
            return


def _keras(model: SavedModel | None) -> str:
    """The version that is recorded; a newer one reads older files, too, and is taken where that one could run code."""
    pinned = _pinned(model, "keras")
    return f"keras{pinned}" if pinned and _release(pinned) >= _release(OLDEST_KERAS) else f"keras>={OLDEST_KERAS}"


def _torch(model: SavedModel | None, lines: tuple[str, ...], *, has_gpu: bool) -> Runtime:
    version = TORCH if model is None else model.versions.get("torch", TORCH)
    wanted = (*lines, next(_older_numpy([f"torch=={version}"]), "numpy"))
    if model is not None and model.format.endswith("safetensors"):
        wanted = (*wanted, "safetensors")
    if has_gpu:
        return Runtime(model, (*wanted, f"torch=={version}"))
    return Runtime(model, wanted, _TORCH_TOOLS if not lines else (), version)


def _transformers(model: SavedModel | None) -> str:
    """A newer transformers reads what an older one saved, and an older one does not know newer models."""
    recorded = "" if model is None else model.versions.get("transformers", "")
    is_old = _release(recorded) < _release(OLDEST_TRANSFORMERS)
    return f"transformers>={OLDEST_TRANSFORMERS if is_old else recorded},<6"


def _mlflow(model: SavedModel | None, *, has_gpu: bool) -> Runtime:
    """The requirements that the model's folder lists, of builds for CPUs, without what only MLflow's server needs."""
    listed = list(_listed(model)) if model is not None else []
    if not any(canonicalize_name(one.name) in ("mlflow", "mlflow-skinny") for one in listed):
        listed.append(Requirement(f"mlflow{_pinned(model, 'mlflow')}"))
    lines: list[str] = []
    torch = None
    for one in listed:
        name = canonicalize_name(one.name)
        pin = re.fullmatch(r"==(\d[\d.]*)(\+\w+)?", str(one.specifier))  # `+cu126`: where it was trained
        if name == "torch" and not has_gpu:
            torch = pin.group(1) if pin else TORCH
            continue
        if name == "mlflow":
            lines.append(f"mlflow-skinny{one.specifier or _pinned(model, 'mlflow')}")
            continue
        one.name = one.name if has_gpu else _FOR_CPU.get(name, one.name)
        lines.append(_with_builds(str(one)))
    names = {canonicalize_name(one.name) for one in listed}
    older = [*_older_numpy([*lines, *([f"torch=={torch}"] if torch else [])])] if "numpy" not in names else []
    lines += older + [name for name in _PYFUNC if name not in names and not (older and name == "numpy")]
    if model is not None and _release(model.versions.get("mlflow", "")) < _release(FIRST_MLFLOW_WITHOUT_SETUPTOOLS):
        lines.append("setuptools<81")
    packages = tuple(sorted({one for name in names for one in _system_packages(name)}))
    excluded = _OF_MLFLOW if names <= _WITHOUT_THEM else ()
    return Runtime(model, tuple(lines), excluded, torch, packages)


def _listed(model: SavedModel) -> Iterator[Requirement]:
    for line in model.requirements:
        try:
            listed = Requirement(line.partition(" #")[0].strip())
            if listed.url is not None:
                raise InvalidRequirement(line)
            yield listed
        except InvalidRequirement as error:
            raise ResolutionError(
                "a saved model asks for something that is not a distribution of an index",
                got=f"`{line}`",
                where=model.path / "requirements.txt",
                hint='say what the image needs in a file of your own: [image] dependencies = "requirements.txt"',
            ) from error


def _system_packages(distribution: str) -> tuple[str, ...]:
    framework = _FRAMEWORKS.get(distribution)
    return framework.system_packages if framework is not None else ()


def _wants(model: SavedModel | None) -> tuple[str, ...]:
    return () if model is None else model.requirements


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _pinned(model: SavedModel | None, distribution: str) -> str:
    version = None if model is None else model.versions.get(distribution)
    return f"=={version}" if version else ""
