"""Has models and no way to ask them."""

from many_models import ManyModels, run


class Uninvoked(ManyModels):
    def invoked(self, body):
        self.answer(405, {"error": "no"})


run(Uninvoked)
