"""Holds conversations that its label does not claim."""

from clean import run
from web_socket import WebSocket

run(WebSocket)
