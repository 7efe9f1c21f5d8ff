import html.parser
import netrc as standard_netrc
import tempfile
from pathlib import Path
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from argosy.image.blobs import BlobStore
from argosy.image.dependencies.wheels import WheelFile
from argosy.image.dockerfile.locked_files import Downloads, netrc, page, requirements, write_locked
from argosy.image.image import digest_of
from tests.image.web import PackageIndex, ignore, serving

CONTENT = b"not looked into"


def wheel(url: str) -> WheelFile:
    return WheelFile("model", "1.0", "model-1.0-py3-none-any.whl", url, digest_of(CONTENT), len(CONTENT))


class Links(html.parser.HTMLParser):
    """The links of a page, as pip sees them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if (tag, name) == ("a", "href")]


def test_no_wheels_are_no_lines() -> None:
    assert requirements(()) == b""


def test_what_can_be_had_without_a_password_is_linked_and_not_fetched(tmp_path: Path) -> None:
    file = wheel("https://nowhere.test/model.whl?a=1&b=2")
    write_locked([file], tmp_path / "out", Downloads(BlobStore(tmp_path / "store"), {}, ignore), may_log_in=False)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["files.html", "requirements.txt"]
    (link,) = Links((tmp_path / "out/files.html").read_text()).found
    assert link == f"https://nowhere.test/model.whl?a=1&b=2#{file.digest.replace(':', '=')}"
    assert (tmp_path / "out/requirements.txt").read_text() == f"model==1.0 --hash={file.digest}\n"


def test_what_needs_a_password_is_fetched_where_the_engine_cannot_be_lent_one(tmp_path: Path) -> None:
    index = PackageIndex()
    index.add_file("model", "model.whl", CONTENT)
    with serving(index) as url:
        downloads = Downloads(BlobStore(tmp_path / "store"), {url: ("me", "geheim")}, ignore)
        file = wheel(f"{url}/files/model/model.whl")
        write_locked([file], tmp_path / "lent", downloads, may_log_in=True)
        assert index.requests == []
        write_locked([file], tmp_path / "not-lent", downloads, may_log_in=False)
    (link,) = Links((tmp_path / "not-lent/files.html").read_text()).found
    assert (tmp_path / "not-lent" / link.partition("#")[0]).read_bytes() == CONTENT
    assert not any("geheim" in path.read_text() for path in tmp_path.rglob("*") if path.is_file())


def test_what_is_only_on_this_machine_goes_along(tmp_path: Path) -> None:
    downloads = Downloads(BlobStore(tmp_path / "store"), {}, ignore)
    downloads.store.add_bytes(CONTENT, digest_of(CONTENT))
    write_locked([wheel("")], tmp_path / "out", downloads, may_log_in=True)
    (link,) = Links((tmp_path / "out/files.html").read_text()).found
    assert (tmp_path / "out" / link.partition("#")[0]).read_bytes() == CONTENT


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_a_link_is_what_it_was(name: str) -> None:
    file = WheelFile("model", "1.0", name, "", f"sha256:{'0' * 64}", None)
    (link,) = Links(page([file], [file]).decode()).found
    assert unquote(link.partition("#")[0]) == f"files/{name}"


LOGIN = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)


@given(user=LOGIN, password=LOGIN)
def test_logins_are_read_as_they_were(user: str, password: str) -> None:
    file = wheel("https://index.test:8443/simple/model.whl")
    written = netrc([file, file], {"https://index.test:8443": (user, password), "https://other.test:": ("a", "b")})
    with tempfile.NamedTemporaryFile() as lent:
        lent.write(written)
        lent.flush()
        assert standard_netrc.netrc(lent.name).hosts == {"index.test": (user, "", password)}
