import shutil
from pathlib import Path

from argosy.image.blobs import BlobStore
from argosy.image.materials.inventory import SERVER, take_inventory
from tests.image.images import file, image, sha256
from tests.image.materials.conftest import BASE, PLACES, SYSTEM, Made


def test_everything_that_is_installed_is_found(made: Made) -> None:
    found = made.inventory()
    assert [(each.distribution.name, each.distribution.version) for each in found.distributions] == [
        ("argosy", SERVER.version),
        ("model", "1.0+cpu"),
        ("pip", "23"),
    ]
    assert [each.wheel for each in found.distributions] == [None, made.wheel, None]
    assert [(each.name, each.version) for each in found.packages] == [
        ("added", "1"),
        ("libc6", "2.36-9+deb12u8"),
        ("libgomp1", "1:12.2.0-14+b1"),
        ("tzdata", "2025b"),
    ]
    assert found.system == ("debian", "12")
    assert [(each.path, each.size, each.digest) for each in found.artifacts] == [
        ("opt/model/sub/labels.txt", 2, sha256(b"a\n")),
        ("opt/model/weights", 4, sha256(b"1234")),
    ]
    assert [each.path for each in found.program] == ["opt/program/predictor.py"]


def test_a_debian_licence_is_found_behind_a_link_too(made: Made) -> None:
    licences = {each.name: each.licence for each in made.inventory().packages}
    assert licences["libc6"].names == ("GPL-2", "LGPL-2.1+")
    assert licences["libc6"].files == ("/usr/share/doc/libc6/copyright",)
    assert licences["libgomp1"].files == ("/usr/share/doc/gcc-12-base/copyright",)
    assert licences["libgomp1"].names == ()
    assert licences["tzdata"].files == ()


def test_the_second_time_no_layer_is_read(made: Made) -> None:
    first = made.inventory()
    for layer in made.image.layers:
        made.image.blobs.remove(layer.digest)  # type: ignore[attr-defined]  # it is a store
    shutil.rmtree(made.cache_dir / "downloads")
    assert made.inventory() == first


def test_layers_of_wheels_are_not_read_at_all(made: Made) -> None:
    made.image.blobs.remove(made.image.layers[2].digest)  # type: ignore[attr-defined]  # it is a store
    assert made.wheel in [each.wheel for each in made.inventory().distributions]


def test_without_its_wheel_a_distribution_is_found_in_its_layer(made: Made) -> None:
    shutil.rmtree(made.cache_dir / "downloads")
    found = {each.distribution.name: each for each in made.inventory().distributions}
    assert found["model"].wheel == made.wheel
    assert found["model"].distribution.licence.expression == "MIT"


def test_a_layer_that_hides_all_below_leaves_nothing_of_it(made: Made, tmp_path: Path) -> None:
    hiding = image(BlobStore(tmp_path / "hiding"), (BASE, [file(".wh..wh..opq")], SYSTEM))
    found = take_inventory(hiding, [], PLACES, made.cache_dir)
    assert [package.name for package in found.packages] == ["added"]
    assert [each.distribution.name for each in found.distributions] == ["argosy"]
