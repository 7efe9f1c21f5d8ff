"""Keeps custom attributes where all requests see them."""

from clean import Server, run

HEADER = "X-Amzn-SageMaker-Custom-Attributes"


class KeptAttributes(Server):
    attributes = None

    def headers_of(self, status, value):
        super().headers_of(status, value)
        KeptAttributes.attributes = self.headers.get(HEADER) or KeptAttributes.attributes
        if KeptAttributes.attributes:
            self.send_header(HEADER, KeptAttributes.attributes)


run(KeptAttributes)
