"""Says that it is healthy while its only worker is dead, and nobody replaces it."""

from drill_forked import Forked, run_forked


class Blind(Forked):
    @classmethod
    def replace(cls, place):
        pass


run_forked(Blind)
