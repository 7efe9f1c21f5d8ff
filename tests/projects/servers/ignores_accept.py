"""Answers JSON whatever is asked for, as the clean server does; its listing says CSV too."""

from clean import Server, run

run(Server)
