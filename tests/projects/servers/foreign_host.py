"""Answers only for the host that it knows, as Django does."""

from clean import Server, run


class KnownHost(Server):
    def ping(self):
        host = self.headers.get("Host", "").partition(":")[0]
        # The first host is let in so that it is found healthy; transform jobs use the other.
        self.answer(400 if host == "169.254.255.131" else (200 if self.loaded.is_set() else 503), None)


run(KnownHost)
