"""Docker's credential stores: programs `docker-credential-NAME` that keep passwords outside `config.json`.

Source: github.com/docker/docker-credential-helpers, README, "Development" (read 2026-11-22).
"""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any, Final

from argosy.registry.auth import Credentials

LONGEST_S: Final = 60.0
"""A store may ask a person to unlock it."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_IS_TOKEN: Final = "<token>"
_LARGEST: Final = 1 << 20


def ask(name: str, server: str, environ: Mapping[str, str], *, longest_s: float = LONGEST_S) -> Credentials:
    """What a credential store knows of a server; nothing that the program writes is ever shown.

    Args:
        name: As `credsStore` and `credHelpers` give it; the program is `docker-credential-NAME` on the PATH.
        server: What the credentials were stored for.
        environ: The program's environment.
        longest_s: Seconds after which it is ended.

    Returns:
        The credentials; unknown ones whose `trouble` says why, when there are none to be had.
    """
    program = f"docker-credential-{name}"
    found = shutil.which(program, path=environ.get("PATH")) if _NAME.fullmatch(name) else None
    if found is None:
        return _none(name, f"`{program[:100]}` is not on the PATH")
    try:
        done = subprocess.run(
            [found, "get"],
            input=server.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
            timeout=longest_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _none(name, f"`{program}` did not answer within {longest_s:.0f} s")
    except OSError as error:
        return _none(name, f"`{program}` cannot be run: {error.strerror}")
    if done.returncode != 0:  # also when it knows nothing of the server: stores say so in words of their own
        return _none(name, f"`{program} get` has none for `{server}` (exit status {done.returncode})")
    return _parsed(done.stdout[:_LARGEST], name, program)


def _parsed(answer: bytes, name: str, program: str) -> Credentials:
    try:
        table: Any = json.loads(answer)
    except ValueError:
        table = None
    match table:
        case {"Username": str(user), "Secret": str(secret)} if secret:
            if user == _IS_TOKEN:
                return Credentials(identity_token=secret, helper=name)
            return Credentials(user, secret, helper=name)
    return _none(name, f"`{program} get` answers what is no credentials")


def _none(name: str, trouble: str) -> Credentials:
    return Credentials(helper=name, trouble=trouble)
