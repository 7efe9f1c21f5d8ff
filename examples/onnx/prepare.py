"""Takes the model out of the package `magika`: `python prepare.py` makes model/, samples/ and labels.json again.

The rows are those of real files: the files of `magika` and `numpy` as they are installed.
"""

import json
import shutil
from pathlib import Path

import magika
import numpy as np

HERE = Path(__file__).parent
PACKAGES = Path(magika.__file__).parent.parent
SHOWN = [
    "magika/magika.py",
    "magika/config/content_types_kb.min.json",
    "numpy/random/LICENSE.md",
    "numpy/_core/include/numpy/npy_math.h",
]
JOB = 100


def features(content: bytes, config: dict[str, int]) -> list[int]:
    """The first and the last bytes that are not blank, as `magika` itself takes them."""
    block, padding = config["block_size"], config["padding_token"]
    head = list(content[:block].lstrip()[: config["beg_size"]])
    tail = list(content[-block:].rstrip()[-config["end_size"] :])
    return head + [padding] * (config["beg_size"] - len(head)) + [padding] * (config["end_size"] - len(tail)) + tail


def main() -> None:
    folder = next((PACKAGES / "magika/models").iterdir())
    config = json.loads((folder / "config.min.json").read_text())
    for made in ("model", "samples"):
        (HERE / made).mkdir(exist_ok=True)
    shutil.copyfile(folder / "model.onnx", HERE / "model/model.onnx")
    (HERE / "labels.json").write_text(json.dumps(config["target_labels_space"]) + "\n")

    files = sorted(path for path in PACKAGES.glob("numpy/**/*") if path.suffix in {".py", ".pyi", ".h", ".pxd"})
    files = [path for path in files if path.stat().st_size >= config["min_file_size_for_dl"]]
    rows = np.array([features((PACKAGES / name).read_bytes(), config) for name in SHOWN], dtype=np.int32)
    job = np.array([features(path.read_bytes(), config) for path in files[:JOB]], dtype=np.int32)
    np.save(HERE / "samples/rows.npy", rows)
    np.savetxt(HERE / "samples/rows.csv", rows, fmt="%d", delimiter=",")
    (HERE / "samples/rows.json").write_text(json.dumps(rows.tolist(), separators=(",", ":")) + "\n")
    np.savetxt(HERE / "samples/job.csv", job, fmt="%d", delimiter=",")
    print(f"{len(rows)} files, and {len(job)} for a job, of {rows.shape[1]} bytes each")


if __name__ == "__main__":
    main()
