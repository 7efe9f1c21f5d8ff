"""Says in the body of a health check what its status says."""

from clean import Server, run


class Chatty(Server):
    def ping(self):
        if self.loaded.is_set():
            self.answer(200, {"status": "healthy"})
        else:
            super().ping()


run(Chatty)
