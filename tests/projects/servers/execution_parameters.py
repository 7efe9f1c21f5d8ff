"""Asks for more than a transform job gives."""

from clean import Server, run


class Greedy(Server):
    def execution_parameters(self):
        self.answer(200, {"MaxConcurrentTransforms": 16, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 100})


run(Greedy)
