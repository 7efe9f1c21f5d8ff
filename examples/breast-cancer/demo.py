"""The whole road with one real model: image, endpoint, transform job, check report; no engine, registry or AWS account.

Everything is done with the `argosy` command and boto3, as a user would do it by hand. `scripts/demo` calls this.
"""

import contextlib
import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import boto3
import joblib
import numpy as np
from sklearn.datasets import load_breast_cancer

EXAMPLE = Path(__file__).parent
ROOT = EXAMPLE.parent.parent
WORK = ROOT / ".cache/demo"
IMAGE = f"oci:{(WORK / 'image').relative_to(ROOT)}:latest"
PROJECT = str(EXAMPLE.relative_to(ROOT))
SAMPLE = f"{PROJECT}/data/cases-b.csv"
ENDPOINT = "breast-cancer"


def main() -> None:
    """Walk the road; every number of the closing lines was measured on the way."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    started = time.perf_counter()
    WORK.mkdir(parents=True, exist_ok=True)
    features, benign = load_breast_cancer(return_X_y=True)
    model = joblib.load(EXAMPLE / "model/model.joblib")

    headline("1. Build the inference image: Debian's packages, wheels and the model; no container engine")
    digest, build_s = timed(lambda: argosy("build", PROJECT, "--base", "debian", "--output", IMAGE).strip())
    size_mb, layers = measure(WORK / "image", digest)

    headline("2. Start the image as a SageMaker endpoint on loopback, and invoke it with boto3")
    endpoint = endpoint_of(IMAGE)
    if endpoint is None:
        say("So the project itself stands in for its image from here on.")
        endpoint = endpoint_of(PROJECT)
    target, process, client = endpoint
    check = ["check", target, *CONTAINER, "--sample", SAMPLE, "--content-type", "text/csv"]
    checking = start(*check)  # beside what follows: it mostly waits
    with stopping(process, checking):
        answer, invoke_s = timed(lambda: invoke(client, csv(features)))
        direct = model.predict_proba(features)
        off = np.abs(answer - direct).max()
        right = np.mean(answer.argmax(axis=1) == benign)
        single = [timed(lambda row=row: invoke(client, csv(features[row : row + 1])))[1] for row in range(50)]
        say(f"{len(answer)} cases in one invocation, {right:.1%} right, largest difference to predict_proba: {off:g}")

    with stopping(checking):
        job_off, objects, transform_s = transform(target, model)
        headline("4. Check the image against what SageMaker demands (it ran beside the rest)")
        say(f"$ argosy {shlex.join(check)}")
        report, _ = checking.communicate()
        say(report)
        if checking.returncode != 0:
            sys.exit(checking.returncode)

    headline("What was done")
    say(f"image      {digest}\n           {size_mb:.1f} MB in {layers} layers, built in {build_s:.1f} s")
    if target != IMAGE:
        say("           not run: this machine lets no image run without an engine; below, the project stands in for it")
    say(f"endpoint   {len(answer)} cases in one invocation: {invoke_s * 1e3:.0f} ms")
    say(f"           one case in one invocation: {np.median(single) * 1e3:.1f} ms (median of {len(single)})")
    say(f"           {right:.1%} right; largest difference to predict_proba: {off:g}")
    say(f"transform  {objects} objects in {transform_s:.1f} s; largest difference to predict_proba: {job_off:g}")
    say(f"all of it  {time.perf_counter() - started:.1f} s\n\nThe same by hand:\n")
    say(f"  . .venv/bin/activate\n{BY_HAND}")
    if off or job_off:
        sys.exit("error: the predictions differ")


CONTAINER = ["--container", "sandbox"]
BY_HAND = f"""\
  argosy build {PROJECT} --base debian --output {IMAGE}
  argosy simulate endpoint {IMAGE} --endpoint-name {ENDPOINT} --port 8090 --container sandbox
  export AWS_DEFAULT_REGION=us-east-1 AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any   # in another terminal
  aws sagemaker-runtime invoke-endpoint --endpoint-url http://127.0.0.1:8090 --endpoint-name {ENDPOINT} \\
      --content-type text/csv --body fileb://{SAMPLE} /dev/stdout
  argosy simulate transform {IMAGE} --input {PROJECT}/data --output out --content-type text/csv --split-type Line
  argosy check {IMAGE} --sample {SAMPLE} --content-type text/csv"""


def transform(target: str, model: object) -> tuple[float, int, float]:
    """A transform job over the whole data set: largest difference to `predict_proba`, objects, seconds."""
    headline("3. Run a transform job over the whole data set")
    data, output = EXAMPLE / "data", WORK / "transformed"
    flags = ["--content-type", "text/csv", "--split-type", "Line", "--assemble-with", "Line"]
    where = ["--input", str(data.relative_to(ROOT)), "--output", str(output.relative_to(ROOT))]
    _, seconds = timed(lambda: argosy("simulate", "transform", target, *CONTAINER, *where, *flags))
    objects = sorted(data.rglob("*.csv"))
    off = 0.0
    for path in objects:
        answers = np.loadtxt(output / f"{path.relative_to(data)}.out", delimiter=",", ndmin=2)
        direct = model.predict_proba(np.loadtxt(path, delimiter=",", ndmin=2))
        off = max(off, np.abs(answers - direct).max())
    return off, len(objects), seconds


def start(*arguments: str) -> subprocess.Popen:
    """Start a verb whose output is read later."""
    command = [sys.executable, "-m", "argosy", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def argosy(*arguments: str) -> str:
    """Run a verb to its end and return what it printed; its talk goes to the terminal."""
    say(f"$ argosy {shlex.join(arguments)}")
    command = [sys.executable, "-m", "argosy", *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    say(done.stdout.rstrip())
    if done.returncode != 0:
        sys.exit(done.returncode)
    return done.stdout


def endpoint_of(target: str) -> tuple[str, subprocess.Popen, object] | None:
    """The endpoint of an image or project, in service; None when this machine does not let an image run."""
    arguments = ["simulate", "endpoint", target, "--endpoint-name", ENDPOINT, *CONTAINER]
    say(f"$ argosy {shlex.join(arguments)} &")
    log = WORK / "endpoint.log"
    with log.open("w") as talk:
        command = [sys.executable, "-m", "argosy", *arguments, "--json"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=talk, text=True)
    try:
        announced = process.stdout.readline()  # one line of JSON, once the endpoint is in service
    except BaseException:
        stop(process)
        raise
    say(log.read_text().rstrip())
    if announced:
        return target, process, client_of(json.loads(announced)["endpoint_url"])
    if process.wait() == 1 and "does not let an image run without a container engine" in log.read_text():
        return None
    sys.exit(process.returncode)


def client_of(url: str) -> object:
    """An unmodified boto3 client, told only where to go."""
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )


def invoke(client: object, body: bytes) -> np.ndarray:
    """One invocation through boto3: CSV there, CSV back."""
    answer = client.invoke_endpoint(EndpointName=ENDPOINT, ContentType="text/csv", Accept="text/csv", Body=body)
    return np.loadtxt(answer["Body"].read().decode().splitlines(), delimiter=",", ndmin=2)


def csv(features: np.ndarray) -> bytes:
    """Rows as CSV, every number with all its digits."""
    return "".join(",".join(map(repr, row)) + "\n" for row in features.tolist()).encode()


def measure(folder: Path, digest: str) -> tuple[float, int]:
    """Size in MB and number of layers of an image in an OCI layout."""
    manifest = json.loads((folder / "blobs" / digest.replace(":", "/")).read_bytes())
    return sum(layer["size"] for layer in manifest["layers"]) / 1e6, len(manifest["layers"])


@contextlib.contextmanager
def stopping(process: subprocess.Popen, beside: subprocess.Popen | None = None):
    """Stop the endpoint at the end, whatever happened; and what runs beside it, when something did."""
    try:
        yield
    except BaseException:
        if beside is not None:
            stop(beside)
        raise
    finally:
        stop(process)


def stop(process: subprocess.Popen) -> None:
    """Ctrl-C, and what it started ends with it."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.communicate()


def timed(work):
    """A result and the seconds that it took."""
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def headline(text: str) -> None:
    """A heading."""
    say(f"\n== {text}")


def say(text: str) -> None:
    """Print at once, so that our lines and the commands' keep their order."""
    if text:
        print(text, flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
