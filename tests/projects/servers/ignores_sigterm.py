"""Goes on when it is told to stop."""

from clean import Server, run

run(Server, on_sigterm=lambda *_: None)
