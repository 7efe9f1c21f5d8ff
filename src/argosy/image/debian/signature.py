"""Whether Debian signed an index, asked of gpgv where the host has it with Debian's keys."""

import subprocess
import tempfile
from pathlib import Path
from typing import Final

from argosy.errors import ImageError

GPGV: Final = "/usr/bin/gpgv"
KEYRING: Final = "/usr/share/keyrings/debian-archive-keyring.gpg"


def signed_text(clearsigned: bytes, where: str, keyring: Path) -> bytes | None:
    """The text that a keyring's keys signed; None when the host cannot tell: no gpgv, no keyring, or too old a one.

    Args:
        clearsigned: What was fetched.
        where: Its URL.
        keyring: Keys as gpgv reads them.

    Raises:
        ImageError: A signature is wrong, or there is none.
    """
    if not Path(GPGV).is_file() or not keyring.is_file():
        return None
    with tempfile.TemporaryDirectory(prefix="argosy-") as folder:
        source, text = Path(folder) / "InRelease", Path(folder) / "Release"
        source.write_bytes(clearsigned)
        command = [GPGV, "--keyring", str(keyring.resolve()), "--status-fd", "1", "--output", str(text), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={"LC_ALL": "C", "HOME": folder})
        states = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("[GNUPG:] ")}
        if states & {"BADSIG", "REVKEYSIG"}:
            raise ImageError("the signature of Debian's index is wrong", where=where)
        if {"VALIDSIG", "GOODSIG"} <= states:
            return text.read_bytes()
        if states & {"NO_PUBKEY", "EXPKEYSIG"}:
            return None
        raise ImageError(
            "Debian's index has no valid signature",
            got=", ".join(sorted(states)) or done.stderr.strip()[:200],
            where=where,
            hint="something between here and Debian's mirror changes what it sends: try another network",
        )
