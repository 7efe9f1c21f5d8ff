"""Downloads its weights when it starts."""

import urllib.request

from clean import Server, run


def load(server):
    urllib.request.urlopen("http://weights.invalid/model.bin", timeout=1)


try:
    load(Server)
except OSError as error:
    print(f"cannot download the weights: {error}", flush=True)
    raise SystemExit(1) from error
run(Server)
