import gzip
import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from argosy.errors import SecretFoundError
from argosy.image.blobs import BlobStore
from argosy.image.layer import Member, from_bytes, symlink
from argosy.image.materials.secrets import SecretCheck, search_config, search_members
from tests.image.images import image

KEY = b"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n"
SITE = "opt/venv/lib/python3.11/site-packages"
MEMBERS = (
    from_bytes("opt/program/predictor.py", b"class Model: ...\n"),
    from_bytes("opt/program/key.pem", KEY),
    from_bytes("opt/program/.env", b"A=b\n"),
    from_bytes("opt/program/.netrc", b""),
    symlink("opt/program/id_rsa", "elsewhere"),
    from_bytes("opt/model/.git/HEAD", b"ref"),
    from_bytes("opt/model/.git/config", b"[x]"),
    from_bytes(f"{SITE}/x/certificates.py", KEY),
    from_bytes(f"{SITE}/x.dist-info/direct_url.json", b'{"url": "https://me:pass@index.test/x.whl"}'),
)


def test_what_is_found_is_named_by_its_place() -> None:
    assert [str(secret) for secret in search_members(MEMBERS, "opt/venv/")] == [
        "file `/opt/program/key.pem` holds a private key",
        "file `/opt/program/.env` usually holds secrets",
        "file `/opt/model/.git` is a version control folder: every past version of every file is in it",
        f"file `/{SITE}/x.dist-info/direct_url.json` holds a URL with a password",
    ]


def test_text_of_a_distribution_that_nobody_else_can_install_is_looked_at(tmp_path: Path) -> None:
    url = b'URL = "postgresql://admin:pw@host/"\n'
    members = [
        from_bytes(f"{SITE}/mine/keys.py", KEY),
        from_bytes(f"{SITE}/mine/tests/keys.py", KEY),
        from_bytes(f"{SITE}/mine/database.py", url),
        from_bytes(f"{SITE}/theirs/keys.py", KEY),
    ]
    private = frozenset(member.path for member in members[:3])
    assert [secret.name for secret in search_members(members, "opt/venv/", private)] == [
        member.path for member in members[:3]
    ]
    SecretCheck(tmp_path, {}, "opt/venv/").require_none_in_layer("dependencies", "key", lambda: members)
    with pytest.raises(SecretFoundError, match="mine/database"):
        SecretCheck(tmp_path, {}, "opt/venv/", private).require_none_in_layer("dependencies", "key", lambda: members)


class Layer:
    """Members that count how often they are asked for."""

    def __init__(self, *members: Member) -> None:
        self.members = members
        self.asked = 0

    def __call__(self) -> Sequence[Member]:
        self.asked += 1
        return self.members


def test_a_known_layer_is_not_looked_at_again_and_not_forgiven(tmp_path: Path) -> None:
    layer = Layer(MEMBERS[1])
    for _ in range(2):
        with pytest.raises(SecretFoundError, match="private key"):
            SecretCheck(tmp_path, {}, "opt/venv/").require_none_in_layer("predictor", "key", layer)
    assert layer.asked == 1
    SecretCheck(tmp_path, {"/opt/program/key.pem": "for tests"}, "opt/venv/").require_none_in_layer(
        "predictor", "key", layer
    )
    assert layer.asked == 1


def test_a_layer_that_is_not_remembered_is_looked_at_every_time(tmp_path: Path) -> None:
    layer = Layer(MEMBERS[0])
    for _ in range(2):
        SecretCheck(tmp_path, {}, "opt/venv/").require_none_in_layer("artifacts", None, layer)
    assert layer.asked == 2
    assert not list(tmp_path.iterdir())


def test_the_error_names_place_and_way_out_and_no_secret(tmp_path: Path) -> None:
    many = [from_bytes(f"opt/program/{number:02}.pem", KEY) for number in range(12)]
    with pytest.raises(SecretFoundError) as raised:
        SecretCheck(tmp_path, {}, "opt/venv/").require_none_in_layer("predictor", "key", Layer(*many))
    said = str(raised.value)
    assert "layer `predictor`" in said
    assert "`/opt/program/09.pem` holds a private key; 2 more" in said
    assert '[image.allow_secrets]\n"/opt/program/00.pem" = "' in said
    assert all(f'\n"/opt/program/{number:02}.pem" = "' in said for number in range(12))
    assert "MIIE" not in said
    assert b"MIIE" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("config", "place", "said"),
    [
        ({"config": {"Env": ["HF_TOKEN=hf_x"]}}, "HF_TOKEN", "variable `HF_TOKEN` holds a secret by its name"),
        ({"config": {"Env": ["SECRET_URL=https://me:pass@x.test"]}}, "SECRET_URL", "holds a URL with a password"),
        ({"config": {"Labels": {"index": "https://me:pass@x.test"}}}, "index", "label `index` holds a URL"),
        ({"history": [{"created_by": "ARG API_KEY=x"}]}, "API_KEY", "step 0 of the history holds a value of `API_KEY`"),
        ({"history": [{}, {"created_by": "pip -i https://me:pass@x.test"}]}, "history", "step 1 of the history holds"),
    ],
)
def test_the_configuration_is_looked_at_too(tmp_path: Path, config: dict[str, object], place: str, said: str) -> None:
    found = image(BlobStore(tmp_path / "blobs"), config=config)
    with pytest.raises(SecretFoundError) as raised:
        SecretCheck(tmp_path, {}, "opt/venv/").require_none_in_config(found)
    assert said in str(raised.value)
    assert "pass@" not in str(raised.value)
    SecretCheck(tmp_path, {place: "a reason"}, "opt/venv/").require_none_in_config(found)
    assert [secret.place for secret in search_config(found)] == [place]


def test_memory_stays_flat_however_large_a_text_is() -> None:
    class Endless(io.RawIOBase):
        """Text that exists nowhere."""

        left = 2**26
        largest = 0

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            given = min(size, self.left)
            assert size > 0, "read as a whole"
            self.left -= given
            self.largest = max(self.largest, given)
            return b"x" * given

    text = Endless()
    member = Member("opt/model/large.csv", 0o644, 2**26, lambda: text)  # type: ignore[arg-type, return-value]  # it reads
    assert search_members([member], "opt/venv/") == []
    assert text.left == 0
    assert text.largest <= 2**20


def test_what_is_compressed_is_not_opened() -> None:
    """A secret in an archive is not seen: said in the documents, held here."""
    assert search_members([from_bytes("opt/model/x.gz", gzip.compress(KEY, mtime=0))], "opt/venv/") == []
