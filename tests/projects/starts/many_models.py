"""A server of a multi-model endpoint that keeps the contract: models come and go, each a row's sum and its own bias."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from clean import Refused, Server, run

PAGE = 1


models = {}


class ManyModels(Server):
    models = models

    def do_GET(self):
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        if path == "/models":
            self.answer(200, self.page(int(query.get("next_page_token", ["0"])[0])))
        elif path.startswith("/models/"):
            self.about(path.split("/")[2], self.described)
        else:
            super().do_GET()

    def do_POST(self):
        parts = self.path.split("/")
        if self.path == "/models":
            asked = json.loads(self.body())
            self.load(asked["model_name"], asked["url"])
        elif parts[1] == "models" and parts[3:] == ["invoke"]:
            body = self.body()
            self.about(parts[2], lambda name: self.invoked(body))
        else:
            super().do_POST()

    def do_DELETE(self):
        self.about(self.path.split("/")[2], self.unload)

    def load(self, name, url):
        if name in self.models:
            self.answer(409, {"error": "loaded already"})
        elif not Path(url).is_dir():
            self.answer(400, {"error": "no such folder"})
        else:
            self.models[name] = url
            self.answer(200, {"status": "loaded"})

    def unload(self, name):
        del self.models[name]
        self.answer(200, {"status": "unloaded"})

    def page(self, start):
        named = sorted(self.models.items())
        shown = [{"modelName": name, "modelUrl": url} for name, url in named[start : start + PAGE]]
        more = {"nextPageToken": str(start + PAGE)} if start + PAGE < len(named) else {}
        return {"models": shown, **more}

    def described(self, name):
        self.answer(200, {"modelName": name, "modelUrl": self.models[name]})

    def invoked(self, body):
        try:
            self.answer(200, self.invoke(self.headers.get("Content-Type"), body))
        except Refused as refused:
            self.answer(refused.status, {"error": str(refused)})

    def about(self, name, answer):
        if name in self.models:
            answer(name)
        else:
            self.answer(404, {"error": "not loaded"})


if __name__ == "__main__":
    run(ManyModels)
