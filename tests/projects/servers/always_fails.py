"""Its model raises whatever it is given."""

from clean import Refused, Server, run


class AlwaysFails(Server):
    def invoke(self, content_type, body):
        raise Refused(500, "the model failed")


run(AlwaysFails)
