"""Counts halves of records."""

from clean import run
from metered import Metered


class Other(Metered):
    def units(self, count):
        return super().units(count / 2)


run(Other)
