"""Loads a model again and again."""

from many_models import ManyModels, run


class Reload(ManyModels):
    def load(self, name, url):
        self.models.pop(name, None)
        super().load(name, url)


run(Reload)
