import urllib.request
from pathlib import Path

import pytest

from argosy.errors import ImageError
from argosy.image.debian import signature
from argosy.image.debian.signature import signed_text

KEYRING = Path(signature.KEYRING)
URL = "https://deb.debian.org/debian/dists/bookworm/InRelease"


@pytest.fixture(scope="module")
def clearsigned() -> bytes:
    with urllib.request.urlopen(URL, timeout=30) as answer:
        content: bytes = answer.read()
    return content


def test_debians_own_release_is_verified_and_a_changed_one_is_not(clearsigned: bytes) -> None:
    """Asks gpgv with Debian's keys, which Debian has out of the box."""
    assert Path(signature.GPGV).is_file()
    assert Path(signature.KEYRING).is_file()
    text = signed_text(clearsigned, URL, KEYRING)
    assert text is not None
    assert b"Codename: bookworm" in text
    assert b"BEGIN PGP" not in text
    with pytest.raises(ImageError, match="signature"):
        signed_text(clearsigned.replace(b"Codename: bookworm", b"Codename: bookwarm"), URL, KEYRING)


def test_a_host_that_cannot_tell_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert signed_text(b"anything", URL, Path("/nowhere")) is None
    monkeypatch.setattr(signature, "GPGV", "/nowhere")
    assert signed_text(b"anything", URL, KEYRING) is None


def test_a_text_without_a_signature_is_an_error(clearsigned: bytes) -> None:
    stripped = clearsigned.partition(b"-----BEGIN PGP SIGNATURE-----")[0]
    for content in (b"Codename: bookworm\n", b"", stripped, stripped.partition(b"\n\n")[2]):
        with pytest.raises(ImageError, match="no valid signature"):
            signed_text(content, URL, KEYRING)


def test_a_signature_of_an_unknown_key_proves_nothing(clearsigned: bytes) -> None:
    removed = Path("/usr/share/keyrings/debian-archive-removed-keys.gpg")
    assert signed_text(clearsigned, URL, removed) is None
