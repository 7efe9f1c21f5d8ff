"""Whether the program loads something from the network when it starts; there is none.

Text is looked at and nothing is run: what a variable names is not known, so only what is written out counts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, unknown
from argosy.conformance.clause import should
from argosy.conformance.image_checks.program_files import Source, program
from argosy.conformance.scenes.at_rest import Files
from argosy.conformance.sources import ISOLATION_PAGE
from argosy.image.manifest import variables

_SHOWN: Final = 10
_OFFLINE: Final = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_LOCAL: Final = r"(?!\w+://(?:localhost|127\.|0\.0\.0\.0|\[::1\]))"
_QUOTED_URL: Final = rf"""[rbf]?["']{_LOCAL}https?://"""


@dataclass(frozen=True, slots=True)
class _Sign:
    """What a download looks like.

    Attributes:
        what: It, in words.
        pattern: In a source; the group `name`, where there is one, is a model of Hugging Face's hub.
        is_python: Whether it is looked for in Python only; else in scripts of any kind.
    """

    what: str
    pattern: re.Pattern[str]
    is_python: bool = True


_LOCAL_FILES: Final = r"(?![^)]*local_files_only\s*=\s*True)"
_MODEL: Final = r"""["'](?P<name>\w[\w.-]*(?:/[\w.-]+)?)["']"""


def _python(what: str, pattern: str) -> _Sign:
    return _Sign(what, re.compile(pattern))


def _script(what: str, pattern: str) -> _Sign:
    return _Sign(what, re.compile(pattern), is_python=False)


_SIGNS: Final = (
    _script("pip installs", r"""\bpip3?["',\s]+install\b(?![^\n]*--no-index)"""),
    _script("a package manager", r"\b(?:apt|apt-get|yum|dnf|apk|conda|npm)\s+(?:-\w+\s+)*(?:install|add|ci)\b"),
    _script("curl or wget", rf"""\b(?:curl|wget)\b[^\n|;&]*?\s["']?{_LOCAL}(?:https?|ftp|s3)://"""),
    _script("git clones", r"\bgit\s+clone\b"),
    _script("the AWS CLI copies", r"\baws\s+s3\s+(?:cp|sync)\b"),
    _script("Hugging Face's tool downloads", r"\b(?:huggingface-cli|hf)\s+download\b"),
    _python("from_pretrained", rf"\bfrom_pretrained\(\s*{_MODEL}{_LOCAL_FILES}"),
    _python("SentenceTransformer", rf"\bSentenceTransformer\(\s*{_MODEL}{_LOCAL_FILES}"),
    _python("Hugging Face's hub", rf"(?<!def )\b(?:hf_hub_download|snapshot_download)\({_LOCAL_FILES}"),
    _python("nltk.download", r"\bnltk\.download\("),
    _python("torch.hub", r"""\btorch\.hub\.load\((?![^)]*source\s*=\s*["']local)"""),
    _python("torch.hub", r"\b(?:download_url_to_file|load_state_dict_from_url)\("),
    _python("spacy downloads", r"\bspacy\.cli\.download\("),
    _script("spacy downloads", r"\bspacy\s+download\b"),
    _python("Keras' get_file", rf"\bget_file\([^)]*{_QUOTED_URL}"),
    _python("urlretrieve", r"\burlretrieve\("),
    _python("an HTTP request", rf"\b(?:requests|httpx)\.(?:get|post|request)\([^)]*?{_QUOTED_URL}"),
    _python("boto3, and there are no AWS credentials", r"\bboto3\.(?:client|resource|Session)\("),
)


def _downloads(files: Files) -> Verdict:
    sources = program(files)
    is_offline = any(variables(files.image).get(name, "").lower() in _TRUE for name in _OFFLINE)
    found = [found for source in sources for found in _in_source(source, _cached_models(files), is_offline=is_offline)]
    if found:
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        return failed(f"{found[0].sent}: {found[0].received}{more}", *found[:_SHOWN])
    if not files.is_whole:
        return unknown(f"nothing in {len(sources)} sources of the program, and there are too many to look at all")
    if not sources:
        return passed("no source of the program's is in the image")
    return passed(f"nothing in {len(sources)} sources of the program")


def _in_source(source: Source, cached: set[str], *, is_offline: bool) -> Iterator[Evidence]:
    code = source.code
    for sign in _SIGNS:
        if sign.is_python and not source.is_python:
            continue
        for match in sign.pattern.finditer(code):
            name = match.groupdict().get("name")
            if name is None or not (is_offline or name in cached):
                told = f"{sign.what} `{name}`" if name else sign.what
                yield Evidence(source.place(match.start()), told)


def _cached_models(files: Files) -> set[str]:
    """The models in caches of Hugging Face's hub that the image brings: those are found without a network."""
    return {
        entry.path.rpartition("/")[2].removeprefix("models--").replace("--", "/")
        for entry in files.filesystem
        if entry.kind == "directory" and entry.path.rpartition("/")[2].startswith("models--")
    }


_GROUP: Final[Group[Files]] = Group("image", Files)

CHECKS: Final[tuple[Check[Files], ...]] = (
    _GROUP.check(
        should(
            "image-downloads",
            ISOLATION_PAGE,
            "All that the program needs is in the image or in the artifacts: nothing is downloaded at the start.",
            "download it when the image is built (RUN pip install, RUN python -c '...from_pretrained(...)') and load it"
            " from a path; ENV HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 makes what is left fail at once",
            rows="N01 N02 F08",
        ),
        _downloads,
        "image-serve",
    ),
)
