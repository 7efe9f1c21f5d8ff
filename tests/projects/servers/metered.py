"""Says how many records it predicted."""

import json

from clean import Server, run


class Metered(Server):
    def headers_of(self, status, value):
        super().headers_of(status, value)
        if header := self.metering(status, value):
            self.send_header("X-Amzn-Inference-Metering", header)

    def metering(self, status, value):
        return self.units(len(value["predictions"])) if status == 200 and self.path == "/invocations" else None

    def units(self, count):
        return json.dumps({"Dimension": "inference.count", "ConsumedUnits": count})


if __name__ == "__main__":
    run(Metered)
