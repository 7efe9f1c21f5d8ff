"""Signs of a secret: in the path of a file, in its text, in the name of a variable, in a build step.

What a secret is called is all that leaves this module; the secret itself does not.

Source: the forms of tokens are those that their issuers publish: AWS IAM "unique identifiers", GitHub "token formats",
and GitHub's list "supported secret scanning patterns" for the rest (read 2026-11-22).
"""

import hashlib
import re
from collections.abc import Iterator
from typing import IO, Final

_FOLDERS: Final = frozenset({".git", ".hg", ".svn"})
_FILES: Final = re.compile(
    r"(^|/)(\.aws/credentials|\.boto|\.s3cfg|\.azure/(accessTokens|msal_token_cache)\.json"
    r"|\.config/gcloud/(application_default_credentials\.json|credentials\.db)|\.kube/config|\.vault-token"
    r"|\.docker/config\.json|\.dockercfg|\.dockerconfigjson|\.netrc|_netrc|\.pypirc|\.git-credentials|\.pgpass|\.my\.cnf"
    r"|\.htpasswd|\.kaggle/kaggle\.json|(\.cache/|\.)huggingface/(token|stored_tokens)"
    r"|\.envrc|\.env(\.(local|dev|development|prod|production|staging))?"
    r"|id_(rsa|dsa|ecdsa|ed25519)(_sk)?|[^/]+\.(p12|pfx|jks|keystore|kdbx|ppk))$"
)
_WITH_URLS: Final = re.compile(
    r"(^|/)(pip\.conf|pip\.ini|uv\.toml|direct_url\.json|pyproject\.toml|poetry\.toml|Pipfile|\.condarc|\.npmrc"
    r"|pylock[^/]*\.toml|(requirements|constraints)[^/]*\.(txt|in))$"
)
_NAMES: Final = re.compile(
    r"(?i)(AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|ACCESS_?TOKEN|AUTH_?TOKEN|HF_TOKEN)"
)
# What only tells where a secret is, or of what kind: `DB_SECRET_ARN`, `PASSWORD_MIN_LENGTH`. The value of a `_URL` is
# looked at for a password all the same.
_NAMES_OF_OTHERS: Final = re.compile(r"(?i)_(ARN|NAME|ID|PATH|FILE|LENGTH|URL)$")
# An ARN, a number, an absolute path; but 40 characters of Base64 are an AWS secret key that begins with a slash.
_VALUES_OF_OTHERS: Final = re.compile(r"arn:aws[\w-]*:\S+|\d+(\.\d+)?|(?![A-Za-z0-9/+]{40}$)(/[\w.-]+)+/?")
_ASSIGNMENT: Final = re.compile(r"""(?<![\w-])([A-Za-z_]\w*)=("[^"]*"|'[^']*'|\S+)""")
# Of several stars or a variable instead of a password nobody learns anything.
_URL: Final = (
    "a URL with a password",
    (b"://",),
    re.compile(r"\b[a-z][a-z0-9+.-]*://[^/\s:@]*:(?!\*+@)[^/\s@$]+@"),
)
# Only in what is the project's own: documents of packages are full of such examples. `{`, `<` and `%` begin
# placeholders.
_DATABASE_URL: Final = (
    "a database URL with a password",
    (b"://",),
    re.compile(
        r"\b(?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?)(?:\+\w+)?://"
        r"[^/\s:@]*:(?!\*+@)[^/\s@${<%\"'][^/\s@$]*@"
    ),
)
# A program that reads keys has the first line of one in it; a key has its Base64 below, or after `\n` in JSON.
_PRIVATE_KEY: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\s*\n|\\r|\\n)+[A-Za-z0-9+/=]{4}")
_PRIVATE_KEY_HEAD: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_KEYS: Final = (
    ("an AWS access key", (b"AKIA", b"ASIA"), re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("a private key", (b"PRIVATE KEY-----",), _PRIVATE_KEY),
    (
        "an AWS secret key",
        (b"aws_secret_access_key", b"AWS_SECRET_ACCESS_KEY"),
        re.compile(r"(?i)aws_secret_access_key\W{1,4}[A-Za-z0-9/+]{40}"),
    ),
    (
        "a GitHub token",
        (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_"),
        re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})\b"),
    ),
    ("a GitLab token", (b"glpat-",), re.compile(r"\bglpat-[A-Za-z0-9_-]{20}(?![A-Za-z0-9_-])")),
    ("a Hugging Face token", (b"hf_",), re.compile(r"\bhf_[A-Za-z]{34}\b")),
    ("a PyPI token", (b"pypi-AgE",), re.compile(r"\bpypi-AgE[A-Za-z0-9_-]{50,}")),
    ("an npm token", (b"npm_",), re.compile(r"\bnpm_[A-Za-z0-9]{36}\b")),
    ("a Slack token", (b"xox",), re.compile(r"\bxox[abprs]-[0-9]{8,}-[A-Za-z0-9-]{10,}")),
    ("a Google API key", (b"AIza",), re.compile(r"\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])")),
    (
        "an OpenAI key",
        (b"sk-proj-", b"sk-svcacct-"),
        re.compile(r"(?<![\w-])sk-(?:proj|svcacct)-[A-Za-z0-9_-]{40,}"),
    ),
    ("an Anthropic key", (b"sk-ant-",), re.compile(r"(?<![\w-])sk-ant-[A-Za-z0-9_-]{40,}")),
    ("a Stripe key", (b"k_live_",), re.compile(r"\b[sr]k_live_[A-Za-z0-9]{24,}")),
)
"""What it is, what a text without one of these cannot hold (most texts meet no regular expression), and its form."""

# Packages bring keys that everybody knows: those of their tests, and AWS's own examples in boto's documentation.
_PUBLISHED: Final = re.compile(r"(^|/)(site-packages|dist-packages|node_modules|python3\.\d+|share/doc)/")
_TESTS: Final = re.compile(r"/tests?/")
_EXAMPLE: Final = re.compile(r"EXAMPLE")

_CHUNK: Final = 1 << 20
_OVERLAP: Final = 1 << 10  # longer than any key's sign

_FORMS: Final = (_URL, _DATABASE_URL, *_KEYS)
_PATTERNS: Final = (_FILES, _WITH_URLS, *(pattern for _, _, pattern in _FORMS), _PUBLISHED)
FORMAT: Final = hashlib.sha256(repr([pattern.pattern for pattern in _PATTERNS]).encode()).hexdigest()[:16]
"""Stands for these signs in a cache key: others find other secrets."""


def control_folder(path: str) -> str | None:
    """The folder of Git, Mercurial or Subversion that a file lies in; None when it lies in none."""
    parts = path.split("/")
    number = next((number for number, part in enumerate(parts[:-1]) if part in _FOLDERS), None)
    return None if number is None else "/".join(parts[: number + 1])


def has_secret_path(path: str) -> bool:
    """Whether a file of that path, without a leading slash, usually is a secret."""
    return _FILES.search(path) is not None and not _is_published_test(path)


def holds_urls(path: str) -> bool:
    """Whether a file of that path usually names package indexes, whose URLs may have a password."""
    return _WITH_URLS.search(path) is not None


def secret_in_file(path: str, stream: IO[bytes], *, is_private: bool = False) -> str | None:
    """What secret a file's text holds, in words; None when none is seen, or when it is no text.

    Memory stays flat, and of a binary file little more is read than its first zero byte.

    Args:
        path: As for `TextSearch`.
        stream: The content.
        is_private: As for `TextSearch`.
    """
    search = TextSearch(path, is_private=is_private)
    while not search.is_over and (chunk := stream.read(_CHUNK)):
        search.write(chunk)
    return search.found


class TextSearch:
    """Looks for a secret in a file's text while it goes by; of a binary file it sees no more than the first zero byte.

    Args:
        path: Without a leading slash; tells what is published anyway, and where URLs are looked at.
        is_private: Whether it is published nowhere, wherever it lies.

    Attributes:
        found: What secret, in words; None when none was seen so far.
        is_over: Whether what is still to come is not looked at.
    """

    def __init__(self, path: str, *, is_private: bool = False) -> None:
        self.found: str | None = None
        self.is_over = not is_private and _is_published_test(path)
        self._is_published = not is_private and _PUBLISHED.search(path) is not None
        forms = _KEYS if self._is_published or path.startswith("usr/") else (_DATABASE_URL, *_KEYS)
        self._forms = (_URL, *forms) if holds_urls(path) else forms
        self._before = b""

    def write(self, chunk: bytes, /) -> None:
        """Look at more of the text."""
        if self.is_over:
            return
        if b"\0" in chunk:
            self.is_over = True
            return
        window = self._before + chunk
        for what, marks, pattern in self._forms:
            if any(mark in window for mark in marks):
                matches = pattern.finditer(window.decode(errors="replace"))
                if any(not (self._is_published and _EXAMPLE.search(match.group())) for match in matches):
                    self.found, self.is_over = what, True
                    return
        self._before = window[-_OVERLAP:]


def secret_in(text: str) -> str | None:
    """What secret a text of the configuration holds, in words; None when none is seen."""
    if _PRIVATE_KEY_HEAD.search(text):
        return "a private key"
    return next((what for what, _, pattern in (_URL, *_KEYS) if pattern.search(text)), None)


def is_secret_name(name: str) -> bool:
    """Whether a variable of that name usually holds a secret."""
    return _NAMES.search(name) is not None


def is_secret_variable(name: str, value: str) -> bool:
    """Whether a variable of that name usually holds a secret, and the value may be one.

    No secret are an empty value, an ARN, a number and an absolute path, nor what a name that ends in `_ARN`, `_NAME`,
    `_ID`, `_PATH`, `_FILE`, `_LENGTH` or `_URL` stands for; whether the value has the form of one is not looked at.
    """
    if not value or _NAMES_OF_OTHERS.search(name) or _VALUES_OF_OTHERS.fullmatch(value):
        return False
    return is_secret_name(name)


def secret_assignments(command: str) -> Iterator[str]:
    """The names of secrets that a build step gives a value: `ARG NAME=value`, `|1 NAME=value /bin/sh -c …`.

    A value that a shell would look up (`$NAME`, `$(cat file)`) is none.
    """
    for name, value in _ASSIGNMENT.findall(command):
        bare = value.strip("\"'")
        if not bare.startswith(("$", "`")) and is_secret_variable(name, bare):
            yield name


def _is_published_test(path: str) -> bool:
    published = _PUBLISHED.search(path)
    return published is not None and _TESTS.search(path, published.end() - 1) is not None
