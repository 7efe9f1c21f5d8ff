import json
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, HTTPException, Request, Response

model = {}


@asynccontextmanager
async def lifespan(app):
    model.update(json.loads(Path("/opt/ml/model/weights.json").read_text()))
    yield


app = FastAPI(lifespan=lifespan, openapi_url=None)


@app.get("/ping")
def ping():
    return Response()


@app.post("/invocations")
async def invocations(request: Request):
    content_type = request.headers.get("content-type", "application/json")
    rows = decode(content_type.partition(";")[0].strip().lower(), await request.body())
    return {"predictions": [predict(row) for row in rows]}


def decode(content_type, body):
    try:
        if content_type == "application/json":
            parsed = json.loads(body)
            rows = parsed["instances"] if isinstance(parsed, dict) else parsed
        elif content_type == "text/csv":
            rows = [line.split(",") for line in body.decode().splitlines()]
        else:
            raise HTTPException(415, f"cannot read {content_type}")
        return [[float(cell) for cell in row] for row in rows]
    except (ValueError, KeyError, TypeError):
        raise HTTPException(400, "not rows of numbers") from None


def predict(row):
    if len(row) != len(model["weights"]):
        raise HTTPException(400, f"want {len(model['weights'])} numbers a row")
    return model["intercept"] + sum(w * x for w, x in zip(model["weights"], row, strict=True))
