"""Says that it is healthy, whatever became of its model."""

from clean import MODEL_DIR, Refused, Server, run


class StaticPing(Server):
    def ping(self):
        self.answer(200, None)

    def invoke(self, content_type, body):
        if not (MODEL_DIR / "bias.txt").exists():
            raise Refused(500, "no model")
        return super().invoke(content_type, body)


run(StaticPing)
