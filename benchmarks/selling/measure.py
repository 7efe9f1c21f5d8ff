"""A plan for eleven regions and its policy, each printed by a process of its own: how long somebody waits for both.

Without credentials, as in a first look: the plan is that of an account in which nothing is, so no network is in it.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REGIONS = (
    "us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3",
    "ap-northeast-1", "ap-south-1", "sa-east-1",
)  # fmt: skip
ROUNDS = 7
ARGOSY = str(Path(sys.executable).with_name("argosy"))
PROJECT = {
    "argosy.toml": """
[model]
predictor = "predictor:Rows"
artifacts = "model"

[image]
base = "debian"

[serving]
content_types = ["text/csv"]

[marketplace]
name = "rows"

[marketplace.instances]
realtime = ["ml.m5.large"]
batch = ["ml.m5.large"]

[marketplace.validation]
samples = "samples"
role = "arn:aws:iam::111122223333:role/ArgosyValidation"

[marketplace.account]
repository = "rows"
bucket = "rows-releases-{region}"
access_role = "arn:aws:iam::111122223333:role/ArgosyIngestion"
""",
    "predictor.py": "from argosy import Predictor\n\n\nclass Rows(Predictor): ...\n",
    "model/weights.bin": "0" * 1_000_000,
    "samples/one.csv": "5.1,3.5\n",
}


def measure() -> dict[str, object]:
    """Median and slowest seconds of the two commands after one round that is not counted, and what of it was work.

    On a machine that does other things as well, the processors' seconds say more than the clock's.
    """
    with tempfile.TemporaryDirectory(prefix="argosy-bench-") as folder:
        for name, text in PROJECT.items():
            path = Path(folder) / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        _seconds("build", folder)
        commands = {
            "plan": ("release", "--project", folder, "--plan", *REGIONS),
            "policy": ("iam", "release", "--project", folder, *REGIONS),
        }
        _seconds(*commands["plan"]), _seconds(*commands["policy"])
        worked = _processors_seconds()
        rounds = [{name: _seconds(*command) for name, command in commands.items()} for _ in range(ROUNDS)]
        worked = _processors_seconds() - worked
    together = [sum(times.values()) for times in rounds]
    return {
        "regions": len(REGIONS),
        **{f"{name}_s": round(statistics.median(times[name] for times in rounds), 2) for name in commands},
        "together_s": round(statistics.median(together), 2),
        "slowest_together_s": round(max(together), 2),
        "together_processors_s": round(worked / ROUNDS, 2),
    }


def _seconds(*arguments: str) -> float:
    """How long a command takes in a process that has no credentials."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    variables |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull}
    variables |= {"AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    started = time.perf_counter()
    subprocess.run([ARGOSY, *arguments], check=True, capture_output=True, env=variables)
    return time.perf_counter() - started


def _processors_seconds() -> float:
    """What all processes that were waited for have worked so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
