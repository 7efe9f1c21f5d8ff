"""What PyTorch itself says: `python direct.py rows.npy|rows.json|rows.csv predictions.npy`."""

import json
import sys
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent


def main() -> None:
    torch.set_num_threads(1)  # sums are the same, bit for bit, on the same number of threads
    with torch.inference_mode():
        model = torch.export.load(HERE / "model/digits.pt2").module()
        np.save(sys.argv[2], model(torch.from_numpy(read(Path(sys.argv[1])))).numpy())


def read(path: Path) -> np.ndarray:
    """Rows of 64 pixels."""
    if path.suffix == ".npy":
        return np.load(path)
    if path.suffix == ".json":
        return np.array(json.loads(path.read_text()), dtype=np.float32)
    return np.loadtxt(path, delimiter=",", dtype=np.float32, ndmin=2)


if __name__ == "__main__":
    main()
