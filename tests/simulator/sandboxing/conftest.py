"""The sandboxes of the neighbouring folder."""

from tests.simulator.containers.conftest import run_script

__all__ = ["run_script"]
