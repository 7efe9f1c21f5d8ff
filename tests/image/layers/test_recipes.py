from dataclasses import replace
from pathlib import Path

from argosy.image.dependencies.wheels import WheelFile
from argosy.image.interpreter import Interpreter
from argosy.image.layers import recipes
from argosy.image.layers.bytecode import Compiler
from argosy.image.layers.making import Recipe
from argosy.image.layers.recipes import Wheels
from tests.image.conftest import Shop

HOW = Wheels(Interpreter("/usr/bin/python3.11", "3.11"), True, frozenset(), lambda digest: Path(digest))


def wheel(name: str, version: str = "1", size: int | None = None) -> WheelFile:
    digest = f"sha256:{name}{version}"
    return WheelFile(name, version, f"{name}-{version}-py3-none-any.whl", f"https://x/{name}", digest, size)


def keys(made: list[Recipe]) -> dict[str, str | None]:
    return {recipe.name: recipe.key for recipe in made}


def test_a_large_wheel_has_a_layer_of_its_own_and_a_small_one_changes_nothing_there() -> None:
    large = [wheel("numpy", size=16_000_000), wheel("torch", size=200_000_000)]
    before = keys(recipes.dependencies([*large, wheel("idna", size=70_000), wheel("mine")], HOW))
    after = keys(recipes.dependencies([*large, wheel("idna", "2", size=70_000), wheel("mine")], HOW))
    assert list(before) == ["dependencies: numpy", "dependencies: torch", "dependencies"]
    assert {name for name in before if before[name] != after[name]} == {"dependencies"}


def test_what_decides_the_bytes_is_in_the_key() -> None:
    wheels = [wheel("numpy", size=16_000_000)]
    ways = [
        HOW,
        replace(HOW, prune=False),
        replace(HOW, whole=frozenset({"numpy"})),
        replace(HOW, python=replace(HOW.python, version="3.12")),
        replace(HOW, python=replace(HOW.python, has_compiler=True)),
        replace(HOW, compiler=Compiler("3.11", "3.11.2", Path("/a"))),
        replace(HOW, compiler=Compiler("3.11", "3.11.9", Path("/a"))),
    ]
    assert len({recipes.dependencies(wheels, how)[0].key for how in ways}) == len(ways)
    elsewhere = replace(HOW, compiler=Compiler("3.11", "3.11.9", Path("/b")), path=lambda digest: Path("/c"))
    assert recipes.dependencies(wheels, elsewhere)[0].key == recipes.dependencies(wheels, ways[-1])[0].key


def test_there_are_never_more_layers_than_docker_takes() -> None:
    made = recipes.dependencies([wheel(f"d{n:03}", size=10_000_000 + n) for n in range(100)], HOW)
    assert len(made) == 33
    assert made[0].name == "dependencies: d068", "the largest"


def test_a_predictor_that_is_edited_meanwhile_is_noticed(shop: Shop) -> None:
    project = shop.project()
    recipe = recipes.predictor(project, None)
    assert recipe.is_unchanged()
    (project.root / "predictor.py").write_text("class Model: pass\n")
    assert not recipe.is_unchanged()
    assert recipes.predictor(project, None).key != recipe.key
