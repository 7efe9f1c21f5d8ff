"""The clean server with its model in processes of their own, which are replaced when they die."""

import itertools
import json
import subprocess
import sys
import threading
from typing import ClassVar

from clean import Refused, Server, run

WORKER = """
import json, sys
for line in sys.stdin:
    print(json.dumps([sum(row) for row in json.loads(line)]), flush=True)
"""


class Dead(Exception):
    pass


class Worker:
    def __init__(self):
        command = [sys.executable, "-S", "-c", WORKER]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.turn = threading.Lock()

    @property
    def is_alive(self):
        return self.process.poll() is None

    def ask(self, rows):
        with self.turn:
            try:
                self.process.stdin.write(json.dumps(rows).encode() + b"\n")
                self.process.stdin.flush()
                answer = self.process.stdout.readline()
            except OSError as error:
                raise Dead from error
        if not answer:
            raise Dead
        return json.loads(answer)


class Forked(Server):
    workers: ClassVar = [Worker()]
    turns = itertools.count()
    replacing = threading.Lock()

    def invoke(self, content_type, body):
        rows = self.rows(content_type, body)
        place = next(self.turns) % len(self.workers)
        try:
            return {"predictions": self.workers[place].ask(rows)}
        except Dead as error:
            self.replace(place)
            raise Refused(503, "the worker died") from error

    @classmethod
    def replace(cls, place):
        with cls.replacing:
            if not cls.workers[place].is_alive:
                cls.workers[place] = Worker()


def run_forked(server):
    try:
        run(server)
    finally:
        for worker in server.workers:
            worker.process.stdin.close()


if __name__ == "__main__":
    run_forked(Forked)
