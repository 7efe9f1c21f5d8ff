"""sentence-transformers called directly: `python direct.py SENTENCES.json OUTPUT.npy`."""

import json
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
from sentence_transformers import SentenceTransformer

text = Path(sys.argv[1]).read_text()
sentences = [json.loads(line) for line in text.splitlines()] if sys.argv[1].endswith(".jsonl") else json.loads(text)
model = SentenceTransformer(str(Path(__file__).parent / "model"), device="cpu", local_files_only=True)
np.save(sys.argv[2], model.encode(sentences))
