"""Counts what it refuses too."""

from clean import run
from metered import Metered


class Other(Metered):
    def metering(self, status, value):
        return self.units(1) if status >= 400 and self.path != "/ping" else super().metering(status, value)


run(Other)
