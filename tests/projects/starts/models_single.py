"""Is healthy only once it has a model."""

import os

from many_models import ManyModels, run


class Single(ManyModels):
    def ping(self):
        has_none = os.environ.get("SAGEMAKER_MULTI_MODEL") == "true" and not self.models
        self.answer(503 if has_none else 200, None)


run(Single)
