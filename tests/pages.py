"""Runs the code blocks of a page, as a reader would.

- A block whose first line is `# PATH` is a file: it is written there.
- A `sh` or `python` block is run, all of a page in one folder; one that ends in `&` runs until the page ends.
- A `text` block after it shows its output: these lines must come, in this order; times, sizes and digests may
  differ, and a line may go on. What can no longer come fails at once: the program has ended, or a later line has come.
- A `sh` line in `TESTED_ELSEWHERE` is not run here.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

TESTED_ELSEWHERE = {
    "scripts/setup": "every script calls it",
    "scripts/demo": "tests/scenarios/test_demo.py",
    "scripts/test": "this is it",
    "pip install 'argosy[toolkit]'": "the set-up installs the same from uv.lock",
    ". .venv/bin/activate": "the tests run in it",
}
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MEASURED = re.compile(r"\d[\d.,]*(?= (?:s|ms|B|KB|MB)\b)")
_FILE = re.compile(r"# ([\w./-]+\.\w+)\n")


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text and the line on which it starts."""

    language: str
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [Block(m.group(1), m.group(2), page.count("\n", 0, m.start()) + 1) for m in _FENCE.finditer(page)]


@dataclass
class Reader:
    """Somebody who types a page's blocks in a folder, with the commands of this environment on PATH."""

    folder: Path
    timeout_s: float = 240
    _background: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _last: subprocess.Popen[bytes] | None = None
    _output: Path = Path()
    _count: int = 0

    def follow(self, page: str) -> Iterator[Block]:
        """Do what a page says, block by block; yields each that was done."""
        try:
            for block in blocks(page):
                self._do(block)
                yield block
        finally:
            for process in self._background:
                process.send_signal(signal.SIGINT)
            for process in self._background:
                process.wait(60)

    def _do(self, block: Block) -> None:
        file = _FILE.match(block.text)
        if file and block.language != "sh":
            path = self.folder / file.group(1)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text[file.end() :])
        elif block.language in {"sh", "python"}:
            self._run(block)
        elif block.language == "text":
            self._expect(block)

    def _run(self, block: Block) -> None:
        lines = [line for line in block.text.splitlines() if line.partition("#")[0].strip() not in TESTED_ELSEWHERE]
        script = "\n".join(lines).strip()
        if not script:
            return
        program = ["bash", "-euc"] if block.language == "sh" else [sys.executable, "-c"]
        self._count += 1
        self._output = self.folder.parent / f"{self.folder.name}-output-{self._count}"
        is_background = script.endswith("&")
        assert not is_background or "\n" not in script, f"line {block.line}: what runs on has a block of its own"
        command = [*program, f"exec {script.removesuffix('&')}" if is_background else script]
        environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        with self._output.open("wb") as output:
            process = subprocess.Popen(command, cwd=self.folder, env=environ, stdout=output, stderr=subprocess.STDOUT)
        self._last = process
        if is_background:
            self._background.append(process)
            return
        try:
            code = process.wait(self.timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        assert code == 0, f"line {block.line}: exit code {code}:\n{self._output.read_text()}"

    def _expect(self, block: Block) -> None:
        assert self._last is not None, f"line {block.line}: the output of nothing"
        deadline = time.monotonic() + self.timeout_s
        wanted = _normalised(block.text)
        while True:
            is_over = self._last.poll() is not None or time.monotonic() > deadline  # asked first: then all is written
            output = self._output.read_text(errors="replace")
            missing, is_past = _missing(wanted, _normalised(output))
            if missing is None:
                return
            assert not is_over and not is_past, f"line {block.line}: no line {missing!r} in:\n{output}"
            time.sleep(0.05)


def _missing(wanted: list[str], got: list[str]) -> tuple[str | None, bool]:
    """The first wanted line that has not come in its turn, and whether the output is past it: one behind it has come.

    A line that is wanted twice, or is the begin of another, says nothing of where the output is.

    >>> _missing(["a", "b"], ["a 1", "more"]), _missing(["a", "b", "c"], ["a", "c"]), _missing(["a"], ["a"])
    (('b', False), ('b', True), (None, False))
    """
    place = 0
    for number, line in enumerate(wanted):
        found = next((i for i, other in enumerate(got[place:], place) if other.startswith(line)), None)
        if found is None:
            before = wanted[: number + 1]
            behind = [later for later in wanted[number + 1 :] if not any(x.startswith(later) for x in before)]
            return line, any(other.startswith(later) for later in behind for other in got[place:])
        place = found + 1
    return None, False


def _normalised(text: str) -> list[str]:
    lines = [re.sub(r"sha256:[0-9a-f]{64}", "sha256:…", line) for line in text.splitlines()]
    lines = [re.sub(r"\s+", " ", _MEASURED.sub("0", line)).strip() for line in lines]
    return [line for line in lines if line and line != "…"]
