"""Reads as many bytes as Content-Length says, and nothing else."""

from clean import Server, run


class LengthOnly(Server):
    def do_POST(self):
        if self.headers.get("Content-Length") is None:
            self.answer(411, {"error": "how long is it?"})
        else:
            super().do_POST()


run(LengthOnly)
