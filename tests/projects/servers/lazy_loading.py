"""Says that it is healthy, and loads its model with the first invocation."""

from clean import Server, run


class LazyLoading(Server):
    loading = None

    def ping(self):
        # As many health checks as go by while a model is loaded.
        if LazyLoading.loading:
            LazyLoading.loading -= 1
            self.answer(503, None)
        else:
            super().ping()

    def invoke(self, content_type, body):
        LazyLoading.loading = 2 if LazyLoading.loading is None else LazyLoading.loading
        return super().invoke(content_type, body)


run(LazyLoading)
