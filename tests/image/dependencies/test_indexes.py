import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from argosy.errors import ArgosyError, NetworkError, ResolutionError
from argosy.image import build
from argosy.image.blobs import BlobStore
from argosy.image.build import BaseImage, Surroundings
from argosy.image.dependencies.indexes import index_credentials, without_logins
from argosy.image.dependencies.inputs import LOCK_NAME
from argosy.image.download import origin
from argosy.image.filesystem import read_filesystem
from tests.image.conftest import Shop
from tests.image.images import image
from tests.image.web import Answer, PackageIndex, Request, serving

USER, PASSWORD = "me", "s3cr/t@x"


@pytest.fixture
def private() -> Iterator[tuple[PackageIndex, str]]:
    """An index that knows one user, and its URL without a login."""
    index = PackageIndex()
    index.add_server()
    index.add("mine", "1.0")
    wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    def answer(request: Request) -> Answer:
        if request.headers.get("Authorization") != wanted:
            return Answer(401, b"who are you?", {"WWW-Authenticate": 'Basic realm="private"'})
        return index(request)

    with serving(answer) as url:
        yield index, url


def with_login(url: str, password: str = PASSWORD) -> str:
    return url.replace("://", f"://{USER}:{quote(password, safe='')}@")


Setting = Callable[[Shop, str, str], None]


def in_variable(shop: Shop, url: str, password: str) -> None:
    shop.environ["UV_DEFAULT_INDEX"] = f"{with_login(url, password)}/simple"


def in_requirements(shop: Shop, url: str, password: str) -> None:
    (shop.root / "requirements.txt").write_text(f"--index-url {with_login(url, password)}/simple\nmine\n")
    del shop.environ["UV_DEFAULT_INDEX"]


def as_variables_in_requirements(shop: Shop, url: str, password: str) -> None:
    host = url.removeprefix("http://")
    (shop.root / "requirements.txt").write_text(f"-i http://{USER}:${{TOKEN}}@{host}/simple\nmine\n")
    shop.environ["TOKEN"] = quote(password, safe="")
    del shop.environ["UV_DEFAULT_INDEX"]


def by_name(shop: Shop, url: str, password: str) -> None:
    shop.environ["UV_DEFAULT_INDEX"] = f"my-own={url}/simple"
    shop.environ["UV_INDEX_MY_OWN_USERNAME"], shop.environ["UV_INDEX_MY_OWN_PASSWORD"] = USER, password


def by_name_in_settings(shop: Shop, url: str, password: str) -> None:
    del shop.environ["UV_DEFAULT_INDEX"], shop.environ["UV_NO_CONFIG"]
    (shop.root / "uv.toml").write_text(f'[[index]]\nname = "own"\nurl = "{url}/simple"\ndefault = true\n')
    shop.environ["UV_INDEX_OWN_USERNAME"], shop.environ["UV_INDEX_OWN_PASSWORD"] = USER, password


def in_netrc(shop: Shop, url: str, password: str) -> None:
    shop.environ["UV_DEFAULT_INDEX"] = f"{url}/simple"
    path = Path(shop.environ["HOME"]) / ".netrc"
    path.write_text(f"machine 127.0.0.1 login {USER} password {password}\n")
    path.chmod(0o600)


SETTINGS = [in_variable, in_requirements, as_variables_in_requirements, by_name, by_name_in_settings, in_netrc]


def built(shop: Shop, said: list[str]) -> set[str]:
    """The names of the files of an image that is built."""
    text = (shop.root / "requirements.txt").read_text()
    around = Surroundings(shop.cache_dir, shop.environ, lambda _: None, said.append)
    made = build.build(shop.project(text), BaseImage(image(BlobStore(shop.cache_dir.parent / "base"))), around)
    return {entry.path for entry in read_filesystem(made)}


@pytest.fixture
def started(shop: Shop) -> Shop:
    shop.root.mkdir()
    (shop.root / "requirements.txt").write_text("mine\n")
    return shop


@pytest.mark.parametrize("setting", SETTINGS)
def test_wheels_of_a_private_index_are_locked_and_downloaded_and_no_password_is_kept(
    started: Shop, private: tuple[PackageIndex, str], setting: Setting
) -> None:
    setting(started, private[1], PASSWORD)
    said: list[str] = []
    assert "opt/venv/lib/python3.11/site-packages/mine/__init__.py" in built(started, said)
    text = (started.root / LOCK_NAME).read_text()
    assert f'url = "{private[1]}/files/mine/mine-1.0-py3-none-any.whl"' in text
    for secret in (PASSWORD, quote(PASSWORD, safe=""), f"{USER}:", "${"):
        assert secret not in text
        assert secret not in "".join(said)


@pytest.mark.parametrize("setting", SETTINGS)
def test_an_index_that_refuses_is_an_error_without_the_password(
    started: Shop, private: tuple[PackageIndex, str], setting: Setting
) -> None:
    setting(started, private[1], "wrong-one")
    with pytest.raises(ArgosyError) as raised:
        built(started, [])
    assert "wrong-one" not in str(raised.value)
    assert isinstance(raised.value, NetworkError | ResolutionError)


def test_a_changed_password_does_not_outdate_the_lock(started: Shop, private: tuple[PackageIndex, str]) -> None:
    in_requirements(started, private[1], PASSWORD)
    built(started, [])
    before = (started.root / LOCK_NAME).read_bytes()
    in_variable(started, private[1], "changed")
    in_requirements(started, private[1], "changed")
    built(started, [])
    assert (started.root / LOCK_NAME).read_bytes() == before


def test_a_login_is_for_its_own_server_only(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine known login a password b\ndefault login c password d\n")
    environ = {"HOME": str(tmp_path), "UV_INDEX": "x=https://u:p@host:8443/simple https://plain/simple"}
    found = index_credentials([], tmp_path, environ)
    assert found.get(origin("https://host:8443/files/x.whl")) == ("u", "p")
    assert found.get(origin("https://known/x")) == ("a", "b")
    for url in ("https://host/x", "http://host:8443/x", "https://plain/simple", "https://elsewhere/"):
        assert found.get(origin(url)) is None


def test_a_broken_netrc_is_an_error_that_does_not_quote_it(tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine x login y password z\nsecret nonsense\n")
    with pytest.raises(ResolutionError, match="cannot be read") as raised:
        index_credentials([], tmp_path, {"NETRC": str(tmp_path / "netrc")})
    assert raised.value.got == "line 2"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("get https://me:pw@host/x and http://t0ken@h/y", "get https://host/x and http://h/y"),
        ("mail me@host, see https://host/a@b", "mail me@host, see https://host/a@b"),
    ],
)
def test_urls_lose_their_logins(text: str, clean: str) -> None:
    assert without_logins(text) == clean
