"""Takes bodies as endpoints send them, and none of the size that it says transform jobs may send."""

from clean import Server, run


class EndpointBodies(Server):
    def do_POST(self):
        if int(self.headers.get("Content-Length") or 0) > 25 * 2**20:
            self.answer(413, {"error": "too large"})
        else:
            super().do_POST()


run(EndpointBodies)
