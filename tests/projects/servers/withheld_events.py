"""Makes all events of a stream before it sends the first."""

from clean import run
from events import Events


class Withheld(Events):
    def stream(self, events):
        body = b"".join(events)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True


run(Withheld)
