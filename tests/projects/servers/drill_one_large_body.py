"""Has room for one large body, and closes the connection of the next."""

import threading

from clean import Server, run

room = threading.Lock()


class OneLargeBody(Server):
    def do_POST(self):
        if int(self.headers.get("Content-Length") or 0) < 2**20:
            super().do_POST()
        elif room.acquire(blocking=False):
            try:
                super().do_POST()
            finally:
                room.release()
        else:
            self.close_connection = True


run(OneLargeBody)
