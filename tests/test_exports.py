"""The public names, pinned: adding or losing one is a decision."""

import argosy


def test_the_public_names_are_these() -> None:
    assert argosy.__all__ == [
        "ArgosyError",
        "DecodeError",
        "Predictor",
        "Reply",
        "Session",
        "current_invocation",
        "meter",
    ]
    assert all(getattr(argosy, name).__doc__ for name in argosy.__all__)
