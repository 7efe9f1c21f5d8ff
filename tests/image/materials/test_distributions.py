from pathlib import Path

import pytest

from argosy.errors import ImageError
from argosy.image.materials.distributions import Licence, of_wheel, parse_metadata
from tests.image.materials.conftest import Made

HEAD = "Metadata-Version: 2.4\nName: Some.Thing\nVersion: 1.0\n"
OSI = "Classifier: License :: OSI Approved :: "


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ("License-Expression: mit OR apache-2.0\n", Licence("MIT OR Apache-2.0")),
        (
            "License-Expression: MIT\nLicense-File: LICENSE\nLicense-File: x/NOTICE\n",
            Licence("MIT", (), ("LICENSE", "x/NOTICE")),
        ),
        ("License: BSD-3-Clause\n", Licence("BSD-3-Clause")),
        ("License: BSD\n", Licence(None, ("BSD",))),
        (f"{OSI}MIT License\n", Licence("MIT")),
        (f"{OSI}BSD License\n", Licence(None, ("BSD License",))),
        (f"{OSI}MIT License\n{OSI}BSD License\n", Licence(None, ("MIT License", "BSD License"))),
        (f"License: Copyright\n  all of it\n{OSI}BSD License\n", Licence(None, ("BSD License",))),
        ("License: Copyright\n  all of it\n", Licence(None, ("Copyright",))),
        ("License: UNKNOWN\n", Licence()),
        ("Classifier: Topic :: License\n", Licence()),
        ("", Licence()),
    ],
)
def test_the_licence_is_what_is_declared_and_no_more(fields: str, licence: Licence) -> None:
    found = parse_metadata(f"{HEAD}{fields}\nLicense: GPL in the description\n".encode())
    assert found is not None
    assert (found.name, found.version, found.licence) == ("some-thing", "1.0", licence)


@pytest.mark.parametrize("content", [b"", b"Name: x\n", b"\xff\xfe\0", b"Version: 1\n\nName: x"])
def test_what_names_nothing_is_nothing(content: bytes) -> None:
    assert parse_metadata(content) is None


@pytest.mark.parametrize("content", [b"no archive", b"PK\5\6" + bytes(18)])
def test_a_broken_wheel_is_an_error(made: Made, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "wheel").write_bytes(content)
    with pytest.raises(ImageError, match=r"model-1\.0"):
        of_wheel(made.wheel, tmp_path / "wheel", tmp_path)
