"""Gives a media type that it does not take."""

from clean import Server, run


class NumbersOut(Server):
    def send_header(self, keyword, value):
        super().send_header(keyword, "application/x-numbers" if keyword == "Content-Type" else value)


run(NumbersOut)
