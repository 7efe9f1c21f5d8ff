"""The checks: one file a heading, one pure function a clause of `contract.CLAUSES`; `run` has them all in order.

To add one: a clause in `contract.py`, a function from a scene to a verdict here, its line in the file's `CHECKS`, and a
server or image with that one defect in `tests/projects`.
"""
