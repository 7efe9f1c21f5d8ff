"""Has four workers, and goes on asking the dead one in its turn."""

from typing import ClassVar

from clean import Refused
from drill_forked import Forked, Worker, run_forked


class Rotation(Forked):
    workers: ClassVar = [*Forked.workers, Worker(), Worker(), Worker()]

    def invoke(self, content_type, body):
        try:
            return super().invoke(content_type, body)
        except Refused as refused:
            raise Refused(502 if refused.status == 503 else refused.status, str(refused)) from refused

    @classmethod
    def replace(cls, place):
        pass


run_forked(Rotation)
