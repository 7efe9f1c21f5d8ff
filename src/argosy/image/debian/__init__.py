"""A base image made of Debian's packages, with no container registry: indexes -> packages -> one layer."""

from typing import Final

DEBIAN: Final = "debian"
"""What `image.base` calls the base image that is made here."""

LOCK_NAME: Final = "debian.argosy.toml"
"""The lock of a project's Debian packages, in its folder."""
