"""The checks of a running container: one file a heading, one pure function a clause, from a scene to a verdict.

To add one: its clause and function in the file of its heading, in that file's `CHECKS`, and a server with that one
defect in `tests/projects`. A scene that nobody plays yet goes into `scenes`, and an act of `observing` plays it.
"""
