"""A base image made of Debian's packages, with no container registry: indexes -> packages -> one layer."""
