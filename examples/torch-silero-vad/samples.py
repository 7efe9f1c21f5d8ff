"""Cuts recordings into rows: `python samples.py FOLDER` makes samples/, with test/data/cards of pocketsphinx's sources.

The recordings are in pocketsphinx-5.1.1.tar.gz on PyPI; people read playing cards aloud, 16 kHz, 16 bit, one channel.
"""

import sys
import wave
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
ROW = 512
"""32 ms, what the model hears at a time."""
SHOWN = [11, 13, 21, 28, 39, 52]
"""Speech, silence, speech, speech, silence, speech."""


def main() -> None:
    rows = np.concatenate([cut(path) for path in sorted(Path(sys.argv[1]).glob("00[123].wav"))])
    (HERE / "samples").mkdir(exist_ok=True)
    few = rows[SHOWN]
    np.save(HERE / "samples/rows.npy", few)
    (HERE / "samples/rows.csv").write_text(lines(few))
    text = ",\n".join(f"[{line}]" for line in lines(few).splitlines())
    (HERE / "samples/rows.json").write_text(f"[{text}]\n")
    (HERE / "samples/job.csv").write_text(lines(rows))


def cut(recording: Path) -> np.ndarray:
    """A recording as rows of samples from -1 to 1, to four digits, so that the texts are short and exact."""
    with wave.open(str(recording)) as opened:
        samples = np.frombuffer(opened.readframes(opened.getnframes()), dtype="<i2")
    whole = samples[: len(samples) // ROW * ROW].reshape(-1, ROW)
    return np.round(whole / 32768, 4).astype(np.float32) + np.float32(0)  # there is no -0 in text


def lines(rows: np.ndarray) -> str:
    """Rows as CSV without a header."""
    return "".join(",".join(f"{cell:.4g}" for cell in row.tolist()) + "\n" for row in rows)


if __name__ == "__main__":
    main()
