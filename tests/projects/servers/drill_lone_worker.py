"""Says honestly that its only worker is dead, and nobody replaces it."""

from drill_forked import Forked, run_forked


class Lone(Forked):
    def ping(self):
        self.answer(200 if self.loaded.is_set() and self.workers[0].is_alive else 503, None)

    @classmethod
    def replace(cls, place):
        pass


run_forked(Lone)
