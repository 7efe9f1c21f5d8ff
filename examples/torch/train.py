"""Trains the model and writes the samples: `python train.py` makes model/ and samples/ again."""

import json
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits

HERE = Path(__file__).parent
TRAINED = 1400
EPOCHS = 30


class Digits(torch.nn.Module):
    """Images of 8 x 8 pixels, 0 to 16, as rows of 64 -> the probability of each digit."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Unflatten(1, (1, 8, 8)),
            torch.nn.Conv2d(1, 16, 3, padding=1),
            torch.nn.ReLU(),
            torch.nn.Conv2d(16, 32, 3, stride=2, padding=1),
            torch.nn.ReLU(),
            torch.nn.Flatten(),
            torch.nn.Dropout(0.2),
            torch.nn.Linear(32 * 4 * 4, 10),
        )

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return torch.softmax(self.layers(pixels / 16), dim=1)


def main() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    images, digits = load_digits(return_X_y=True)
    images = images.astype(np.float32)
    net = trained(Digits(), torch.from_numpy(images[:TRAINED]), torch.from_numpy(digits[:TRAINED]))
    unseen = net(torch.from_numpy(images[TRAINED:])).argmax(1).numpy()
    print(f"{np.mean(unseen == digits[TRAINED:]):.1%} of {len(unseen)} unseen images are read right")
    (HERE / "model").mkdir(exist_ok=True)
    rows = torch.export.Dim("rows")
    program = torch.export.export(net, (torch.zeros(2, 64),), dynamic_shapes={"pixels": {0: rows}})
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # paths of the machine that it was trained on
    torch.export.save(program, HERE / "model/digits.pt2")
    write_samples(images[TRAINED::80])
    write_csv(HERE / "samples/job.csv", images[TRAINED:])


def trained(net: Digits, images: torch.Tensor, digits: torch.Tensor) -> Digits:
    """The net after some epochs, ready to predict."""
    optimizer = torch.optim.Adam(net.parameters(), lr=0.003)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(images)).split(64):
            optimizer.zero_grad()
            torch.nn.functional.nll_loss(torch.log(net(images[batch]) + 1e-9), digits[batch]).backward()
            optimizer.step()
    return net.eval()


def write_samples(rows: np.ndarray) -> None:
    """The same few rows in three forms."""
    (HERE / "samples").mkdir(exist_ok=True)
    np.save(HERE / "samples/rows.npy", rows)
    write_csv(HERE / "samples/rows.csv", rows)
    (HERE / "samples/rows.json").write_text(json.dumps(rows.astype(int).tolist()) + "\n")


def write_csv(path: Path, rows: np.ndarray) -> None:
    """Rows without a header."""
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows.astype(int).tolist()))


if __name__ == "__main__":
    main()
