"""A transform job over the whole data set, whatever the container is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.scenarios.conftest import Built, from_csv
from tests.scenarios.running import EXAMPLE, argosy
from tests.scenarios.test_endpoint import KINDS

OBJECTS = ["cases-a.csv", "cases-b.csv", "later/cases-c.csv"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_object_holds_what_predict_proba_says(built: Built, tmp_path: Path, kind: str, model: Any) -> None:
    output = tmp_path / "out"
    done = argosy(
        "simulate", "transform", built.layout, "--container", kind, "--input", EXAMPLE / "data", "--output", output,
        "--content-type", "text/csv", "--accept", "text/csv", "--split-type", "Line", "--assemble-with", "Line",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    written = sorted(path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file())
    assert written == sorted(f"{name}.out" for name in OBJECTS)
    for name in OBJECTS:
        expected = model.predict_proba(from_csv((EXAMPLE / "data" / name).read_text()))
        assert np.array_equal(from_csv((output / f"{name}.out").read_text()), expected)


def test_one_bad_record_fails_its_object_and_the_job(built: Built, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/good.csv").write_text((EXAMPLE / "data/cases-b.csv").read_text())
    (tmp_path / "in/bad.csv").write_text("not,a,case\n")
    done = argosy(
        "simulate", "transform", built.layout, "--container", "sandbox", "--content-type", "text/csv",
        "--input", tmp_path / "in", "--output", tmp_path / "out", "--split-type", "Line",
    )  # fmt: skip
    assert done.returncode == 1
    assert "bad.csv" in done.stderr
    assert not (tmp_path / "out/bad.csv.out").exists()
    assert not [path for path in (tmp_path / "out").rglob("*bad*") if path.is_file()]
