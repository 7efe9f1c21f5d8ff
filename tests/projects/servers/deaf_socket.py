"""Never answers a Ping, and ends the conversation instead."""

from clean import run
from web_socket import WebSocket


class Deaf(WebSocket):
    def pong(self, payload):
        self.connection.close()


run(Deaf)
