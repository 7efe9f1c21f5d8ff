"""Lists the first page only."""

from many_models import ManyModels, run


class FirstPage(ManyModels):
    def page(self, start):
        return {"models": super().page(start)["models"]}


run(FirstPage)
