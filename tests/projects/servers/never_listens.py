"""Waits for something instead of listening."""

import signal

signal.signal(signal.SIGTERM, lambda *_: exit(0))
signal.pause()
