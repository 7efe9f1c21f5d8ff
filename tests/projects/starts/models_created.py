"""Says 201 to a model that is loaded."""

from many_models import ManyModels, run


class Created(ManyModels):
    def load(self, name, url):
        self.models[name] = url
        self.answer(201, None)


run(Created)
