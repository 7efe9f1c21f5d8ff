"""Does not say what its answers are."""

from clean import Server, run


class Unnamed(Server):
    def send_header(self, keyword, value):
        if keyword != "Content-Type":
            super().send_header(keyword, value)


run(Unnamed)
