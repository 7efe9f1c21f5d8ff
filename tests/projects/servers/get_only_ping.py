"""Answers health checks that are GET."""

from clean import Server, run


class GetOnly(Server):
    def do_POST(self):
        if self.path == "/ping":
            self.answer(405, {"error": "GET it"})
        else:
            super().do_POST()


run(GetOnly)
