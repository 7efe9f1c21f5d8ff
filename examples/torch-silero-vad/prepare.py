"""Takes the model out of the PyPI package silero-vad: `python prepare.py` makes model/."""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
PACKAGE = "silero-vad==6.2.3"
MODEL = "silero_vad/data/silero_vad.jit"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        # Without what it depends on: that is torchaudio, which the model itself has no use for.
        command = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE)
        subprocess.run(command, check=True)
        (wheel,) = Path(folder).glob("*.whl")
        (HERE / "model").mkdir(exist_ok=True)
        (HERE / "model/silero_vad.jit").write_bytes(zipfile.ZipFile(wheel).read(MODEL))


if __name__ == "__main__":
    main()
