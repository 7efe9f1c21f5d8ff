"""Says that it has loaded what is not there."""

from pathlib import Path

from many_models import ManyModels, run


class Blind(ManyModels):
    def load(self, name, url):
        if Path(url).is_dir():
            super().load(name, url)
        else:
            self.answer(200, {"status": "loaded"})


run(Blind)
