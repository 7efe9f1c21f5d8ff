"""The files that are written, held to the official schema of each and to other people's readers."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from argosy.errors import ImageError
from argosy.image.materials.record import FILES, recorded, remove_record, require_place
from argosy.image.materials.subject import Subject, bare_digest
from tests.image.images import sha256, tree
from tests.image.materials.conftest import Made


def write_record(subject: Subject, folder: Path) -> None:
    """Write the statements, as for an image that nothing goes wrong with."""
    with recorded(subject, folder):
        pass


@pytest.fixture
def folder(made: Made, tmp_path: Path) -> Path:
    write_record(made.subject(), tmp_path / "build" / "materials")
    return tmp_path / "build" / "materials"


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_cyclonedx_keeps_its_schema(folder: Path) -> None:
    content = (folder / "sbom.cdx.json").read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(content) is None


def test_cyclonedx_names_every_part_with_its_digest(folder: Path, made: Made) -> None:
    bill = read(folder / "sbom.cdx.json")
    parts = {part["name"]: part for part in bill["components"]}
    assert sorted(parts) == ["added", "argosy", "libc6", "libgomp1", "model", "pip", "predictor", "tzdata"]
    by_type = {(part["type"], part["name"]): part for part in bill["components"]}
    library, model = by_type["library", "model"], by_type["machine-learning-model", "model"]
    assert library["purl"] == "pkg:pypi/model@1.0%2Bcpu"
    assert library["hashes"] == [{"alg": "SHA-256", "content": bare_digest(made.wheel.digest)}]
    assert [(file["name"], file["hashes"][0]["content"]) for file in model["components"]] == [
        ("/opt/model/sub/labels.txt", bare_digest(sha256(b"a\n"))),
        ("/opt/model/weights", bare_digest(sha256(b"1234"))),
    ]
    assert bill["metadata"]["component"]["version"] == made.image.digest
    assert set(bill["dependencies"][0]["dependsOn"]) == {part["bom-ref"] for part in bill["components"]}


def test_spdx_is_valid_and_names_the_same_parts(folder: Path) -> None:
    document = parse_file(str(folder / "sbom.spdx.json"))
    assert [fault.validation_message for fault in validate_full_spdx_document(document)] == []
    names = sorted(package.name for package in document.packages)
    files = ["/opt/model/sub/labels.txt", "/opt/model/weights", "/opt/program/predictor.py"]
    packages = ["added", "argosy", "inference-image", "libc6", "libgomp1", "model", "pip", "tzdata"]
    assert names == [*files, *packages]


def test_package_urls_are_as_their_own_library_writes_them(folder: Path) -> None:
    urls = [part["purl"] for part in read(folder / "sbom.cdx.json")["components"] if "purl" in part]
    assert [PackageURL.from_string(url).to_string() for url in urls] == urls
    assert "pkg:deb/debian/libgomp1@1:12.2.0-14%2Bb1?arch=amd64&distro=debian-12&upstream=gcc-12%4012.2.0-14" in urls


def test_the_provenance_says_from_what_and_that_it_is_not_signed(folder: Path, made: Made) -> None:
    statement = read(folder / "provenance.json")
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    assert statement["subject"][0]["digest"] == {"sha256": bare_digest(made.image.digest)}
    definition, run = statement["predicate"]["buildDefinition"], statement["predicate"]["runDetails"]
    assert definition["internalParameters"]["signed"] is False
    assert "unsigned" in run["builder"]["id"]
    assert {each["name"]: each["digest"]["sha256"] for each in definition["resolvedDependencies"]} == {
        name: bare_digest(digest)
        for name, digest in {
            "docker.io/library/base:1": sha256(b"base"),
            "argosy.toml": sha256(b"toml"),
            "pylock.argosy.toml": sha256(b"lock"),
            "/opt/program/predictor.py": sha256(b"class Model: ...\n"),
            "/opt/model/sub/labels.txt": sha256(b"a\n"),
            "/opt/model/weights": sha256(b"1234"),
            made.wheel.filename: made.wheel.digest,
        }.items()
    }


def test_no_file_has_the_password_of_an_index(folder: Path) -> None:
    written = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"index.test/files/model" in written
    assert b"pass@" not in written
    assert b"token" not in written


def test_licences_are_listed_for_programs_and_for_people(folder: Path) -> None:
    listed = read(folder / "licences.json")
    assert {each["name"]: each["expression"] for each in listed["python"]} == {
        "argosy": "Apache-2.0",
        "model": "MIT",
        "pip": "MIT",
    }
    table = (folder / "licences.txt").read_text()
    assert "libc6 2.36-9+deb12u8     GPL-2, LGPL-2.1+" in table
    assert "see /usr/share/doc/gcc-12-base/copyright" in table
    assert "tzdata 2025b             none declared" in table


def test_the_same_image_has_the_same_files_whatever_the_cache_still_has(
    made: Made, folder: Path, tmp_path: Path
) -> None:
    """Without the wheel its layer is read; nothing in the files tells of the hour, the machine or the cache."""
    write_record(replace(made, cache_dir=tmp_path / "other").subject(), tmp_path / "other" / "materials")
    assert tree(tmp_path / "other" / "materials") == tree(folder)


def test_statements_about_another_image_are_replaced_as_a_whole(made: Made, folder: Path) -> None:
    other = replace(made.subject(), base_name=None)
    write_record(other, folder)
    assert {path.name for path in folder.iterdir()} == set(FILES)
    assert read(folder / "provenance.json")["predicate"]["buildDefinition"]["resolvedDependencies"][0]["name"] == (
        "base image"
    )
    assert [path.name for path in folder.parent.iterdir()] == ["materials"]


def test_what_fails_half_way_leaves_the_statements_of_before(
    made: Made, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(folder)
    subject = made.subject()
    monkeypatch.setattr(type(subject.inventory), "artifacts", property(lambda self: 1 / 0))
    with pytest.raises(ZeroDivisionError):
        write_record(subject, folder)
    assert tree(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == ["materials"]


def test_an_image_that_is_not_delivered_leaves_the_statements_of_before(made: Made, folder: Path) -> None:
    before = tree(folder)
    with pytest.raises(ZeroDivisionError), recorded(replace(made.subject(), base_name=None), folder):
        raise ZeroDivisionError
    assert tree(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == ["materials"]


def test_a_signature_beside_the_statements_stays(made: Made, folder: Path) -> None:
    (folder / "provenance.json.sig").write_text("mine")
    before = (folder / "provenance.json").read_bytes()
    write_record(replace(made.subject(), base_name=None), folder)
    assert (folder / "provenance.json").read_bytes() != before
    remove_record(folder)
    assert tree(folder) == {"provenance.json.sig": b"mine"}
    (folder / "provenance.json.sig").unlink()
    remove_record(folder)
    assert not folder.exists()


@pytest.mark.parametrize("name", ["materials", "materials/provenance.json"])
def test_what_is_no_statement_is_not_replaced(made: Made, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "materials"
    mine = tmp_path / name / "mine" if name != "materials" else folder
    mine.parent.mkdir(parents=True, exist_ok=True)
    mine.write_text("mine")
    with pytest.raises(ImageError, match="is something else"):
        require_place(folder)
    with pytest.raises(ImageError, match="is something else"):
        write_record(made.subject(), folder)
    remove_record(folder)
    assert mine.read_text() == "mine"


def test_asking_for_the_place_leaves_nothing(tmp_path: Path) -> None:
    require_place(tmp_path / "build" / "materials")
    assert list(tmp_path.iterdir()) == []


def test_builds_at_the_same_time_leave_one_whole_folder(made: Made, folder: Path) -> None:
    subject = made.subject()
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(write_record, subject, folder) for _ in range(100)]:
            done.result()
    assert {path.name for path in folder.iterdir()} == set(FILES)
    assert [path.name for path in folder.parent.iterdir()] == ["materials"]
