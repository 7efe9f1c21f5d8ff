"""Says 400 of a model that it does not have."""

from many_models import ManyModels, run

unloaded = set()


class BadRequest(ManyModels):
    def about(self, name, answer):
        if name in self.models or name in unloaded:
            super().about(name, answer)
        else:
            self.answer(400, {"error": "not loaded"})

    def unload(self, name):
        unloaded.add(name)
        super().unload(name)


run(BadRequest)
