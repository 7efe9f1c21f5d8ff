"""Predictors with sessions, with adapters, and for multi-model endpoints."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from argosy import DecodeError, Predictor, Session, current_invocation


def say(**fields: object) -> None:
    """Write a line into the server's log."""
    os.write(1, json.dumps(fields).encode() + b"\n")


def wait_for(path: str) -> None:
    while not Path(path).exists():
        time.sleep(0.01)


class _Conversing(Predictor):
    """Counts the turns of a session."""

    def count(self, inputs: dict[str, Any]) -> dict[str, Any]:
        session = current_invocation().session
        if session is None:
            return {"pid": os.getpid(), "turn": 0, "session": None}
        session.state["turn"] = session.state.get("turn", 0) + 1
        match inputs.get("do"):
            case "refuse":
                raise DecodeError("not today")
            case "exit":
                os._exit(7)
            case "sleep":
                time.sleep(inputs["seconds"])
            case "wait":
                Path(inputs["begun"]).touch()
                wait_for(inputs["until"])
        return {"pid": os.getpid(), "turn": session.state["turn"], "session": session.id}

    def close_session(self, session: Session) -> None:
        say(closed=session.id, turns=session.state["turn"])


class Conversing(_Conversing):
    def predict(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return self.count(inputs)


class ConversingAsync(_Conversing):
    """The same on an event loop."""

    async def predict(self, inputs: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(0)
        return self.count(inputs)


class ConversingStream(_Conversing):
    """The same, part by part, in a thread for each invocation."""

    def predict(self, inputs: dict[str, Any]) -> Iterator[str]:
        told = self.count(inputs)
        yield json.dumps(told)[:5]
        yield json.dumps(told)[5:]


class _Adapted(Predictor):
    """Multiplies by the weight of an adapter."""

    def load(self, model_dir: Path) -> None:
        self.weights = {"": 1.0}

    def load_adapter(self, name: str, path: Path) -> None:
        told = (path / "weight.txt").read_text()
        match told:
            case "bad":
                raise ValueError("the rank of the secret adapter is wrong")
            case "memory":
                raise MemoryError
            case "broken":
                raise RuntimeError("the secret adapter is cut short")
            case "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "once" if (path / "loaded").exists():
                raise RuntimeError("only once")
            case "once":
                (path / "loaded").touch()
                told = "1"
        self.weights[name] = float(told)

    def unload_adapter(self, name: str) -> None:
        self.weights.pop(name, None)
        say(unloaded=name, pid=os.getpid())

    def weigh(self, inputs: dict[str, Any]) -> dict[str, Any]:
        adapter = current_invocation().adapter
        if inputs.get("do") == "wait":
            Path(inputs["begun"]).touch()
            wait_for(inputs["until"])
        return {"pid": os.getpid(), "adapter": adapter, "weight": self.weights[adapter]}


class Adapted(_Adapted):
    def predict(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return self.weigh(inputs)


class AdaptedAsync(_Adapted):
    """The same on an event loop."""

    async def predict(self, inputs: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(0)
        return self.weigh(inputs)


class AdaptedStream(_Adapted):
    """The same, part by part, in a thread for each invocation."""

    def predict(self, inputs: dict[str, Any]) -> Iterator[str]:
        yield json.dumps(self.weigh(inputs))


class OneOfMany(Predictor):
    """What is in its folder decides how it loads."""

    def load(self, model_dir: Path) -> None:
        self.text = (model_dir / "text").read_text()
        match self.text:
            case "memory":
                raise MemoryError
            case "broken":
                raise OSError("the secret file is cut short")
            case "exit":
                os._exit(9)
            case "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "wait":
                (model_dir / "begun").touch()
                wait_for(str(model_dir / "until"))
            case "once" if (model_dir / "loaded").exists():
                os._exit(9)
        (model_dir / "loaded").touch()

    def predict(self, inputs: dict[str, Any]) -> dict[str, Any]:
        match inputs.get("do"):
            case "memory":
                raise MemoryError
            case "exit":
                os._exit(7)
            case "wait":
                Path(inputs["begun"]).touch()
                wait_for(inputs["until"])
        return {"text": self.text, "pid": os.getpid()}
