from pathlib import Path

import pytest

from argosy.errors import LoadError
from argosy.flavors.trees.release import require_not_newer


@pytest.mark.parametrize("installed", ["3.2.0", "3.2.5rc1", "3.10.0", "4.0"])
def test_an_older_file_and_one_of_another_patch_release_are_taken(installed: str) -> None:
    require_not_newer((3, 2, 3), installed, "xgboost-cpu", Path("model.ubj"))


@pytest.mark.parametrize("installed", ["3.1.9", "2.9.0", "1.11"])
def test_a_file_of_a_newer_minor_release_is_refused(installed: str) -> None:
    with pytest.raises(LoadError) as caught:
        require_not_newer((3, 2, 0), installed, "xgboost-cpu", Path("model.ubj"))
    assert f"which is {installed} here" in str(caught.value)
    assert caught.value.hint == "pip install 'xgboost-cpu>=3.2.0'"
