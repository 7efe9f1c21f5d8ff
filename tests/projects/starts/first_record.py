"""Answers the first record of a body and drops the others."""

from clean import Server, run


class FirstRecord(Server):
    def rows(self, content_type, body):
        return super().rows(content_type, body)[:1]


run(FirstRecord)
