"""Answers with a stream of events when it is asked for one."""

import time

from clean import Server, run


class Events(Server):
    def answer(self, status, value):
        if status != 200 or self.headers.get("Accept") != "text/event-stream":
            super().answer(status, value)
        else:
            self.stream([b"data: %d\n\n" % number for number in range(3)])

    def stream(self, events):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        self.end_headers()
        for event in [*events, b""]:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))
            self.wfile.flush()
            time.sleep(0.02)


if __name__ == "__main__":
    run(Events)
