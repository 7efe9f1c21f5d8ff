"""Counts requests, whatever is in them."""

from clean import run
from metered import Metered


class Other(Metered):
    def units(self, count):
        return super().units(1)


run(Other)
