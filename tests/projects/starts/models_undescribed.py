"""Cannot describe a model."""

from many_models import ManyModels, run


class Undescribed(ManyModels):
    def described(self, name):
        self.answer(500, {"error": "not implemented"})


run(Undescribed)
