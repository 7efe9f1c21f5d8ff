"""Closes the connection when there is no body."""

from clean import Server, run


class DropsEmpty(Server):
    def do_POST(self):
        if self.path == "/invocations" and self.headers.get("Content-Length") == "0":
            self.close_connection = True
        else:
            super().do_POST()


run(DropsEmpty)
