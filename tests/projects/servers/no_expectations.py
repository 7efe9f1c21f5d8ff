"""Refuses a body that is announced."""

from clean import Server, run


class NoExpectations(Server):
    def handle_expect_100(self):
        self.answer(417, {"error": "just send it"})
        return False


run(NoExpectations)
