"""Takes bodies of up to 6 MB, as nginx in front of it would after one line of configuration."""

from clean import Server, run


class SmallBodies(Server):
    def do_POST(self):
        if int(self.headers.get("Content-Length") or 0) > 6 * 2**20:
            self.answer(413, {"error": "too large"})
        else:
            super().do_POST()


run(SmallBodies)
