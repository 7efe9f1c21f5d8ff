"""torch and transformers, imported in one place: what they read of the environment has to be set before."""

from argosy.flavors.loading.framework import framework
from argosy.serving.settings import set_variables

set_variables(
    {
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "TOKENIZERS_PARALLELISM": "false",
    }
)  # nothing is asked of the Hub or drawn into the log, and tokenizers start no threads beside torch's
with framework("torch", "transformers"):
    import torch
    import transformers

__all__ = ["torch", "transformers"]
