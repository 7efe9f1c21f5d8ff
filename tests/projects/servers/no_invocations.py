"""Serves its predictions somewhere else."""

from clean import Server, run


class OtherPath(Server):
    def do_POST(self):
        self.path = {"/predict": "/invocations", "/ping": "/ping"}.get(self.path, "/nowhere")
        super().do_POST()


run(OtherPath)
