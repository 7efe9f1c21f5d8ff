"""The checks of an image and its artifacts at rest: one file a subject, one pure function a clause."""
