"""Keeps a model that it was told to unload."""

from many_models import ManyModels, run


class Kept(ManyModels):
    def unload(self, name):
        self.answer(200, {"status": "unloaded"})


run(Kept)
