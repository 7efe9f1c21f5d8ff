"""Says its units in words."""

from clean import run
from metered import Metered


class Other(Metered):
    def units(self, count):
        return super().units(str(count))


run(Other)
