"""A `[marketplace]` table without a fault, as a dictionary, and the same with one thing changed."""

import copy
from collections.abc import Mapping
from typing import Any

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/vehicle-validation"
INSTRUCTIONS = """Subscribe, create an endpoint with network isolation, then invoke it:

    runtime = boto3.client("sagemaker-runtime", config=Config(read_timeout=70, retries={"max_attempts": 0}))
    answer = runtime.invoke_endpoint(EndpointName="vehicles", ContentType="application/json", Body=body)
"""

CLEAN: Mapping[str, Any] = {
    "name": "vehicle-detector",
    "version": "1.0.0",
    "description": "Finds vehicles in aerial images.",
    "region": "us-east-1",
    "regions": ["us-east-1", "eu-west-1"],
    "content_types": ["application/json"],
    "response_types": ["application/json"],
    "environment": {"VEHICLE_CLASSES": "all"},
    "buyer_accounts": ["210987654321"],
    "instances": {
        "realtime": ["ml.m5.large", "ml.c5.xlarge"],
        "batch": ["ml.m5.large", "ml.m5.xlarge"],
        "recommended_realtime": "ml.m5.large",
        "recommended_batch": "ml.m5.xlarge",
    },
    "validation": {"samples": "validation", "role": ROLE},
    "account": {
        "id": ACCOUNT,
        "repository": "vehicle-detector",
        "bucket": "vehicle-detector-releases",
        "prefix": "packages",
        "access_role": f"arn:aws:iam::{ACCOUNT}:role/marketplace-ingestion",
    },
    "pricing": {
        "model": "hourly",
        "realtime": {"ml.m5.large": "0.50", "ml.c5.xlarge": "0.80"},
        "batch": {"ml.m5.large": "0.50", "ml.m5.xlarge": "0.90"},
        "free_trial_days": 14,
        "refund_policy": "No refund is given, since a subscription alone costs nothing.",
    },
    "release": {"title": "1.0.0", "notes": "The first version that is offered."},
    "listing": {
        "title": "Vehicle detector",
        "short_description": "Finds cars, lorries and buses in aerial images and counts them.",
        "description": "Takes one aerial image as JSON and returns a box with its class for every vehicle in it.",
        "use_cases": "Counting parked cars for retail studies, and traffic on roads without sensors.",
        "training_data": "120,000 aerial images of European towns, taken from 2019 to 2023 and labelled by hand.",
        "limitations": "Snow and night images were not in the training set and give poor results.",
        "performance": "91.3 % mean average precision, benchmarked using 5,000 held-out images.",
        "speed": "45 ms per image on ml.m5.large, measured with one client.",
        "differentiation": "Small vehicles are found down to 8 pixels, since tiles are read at full resolution.",
        "framework": "ONNX Runtime 1.31",
        "highlights": ["Counts vehicles in images of any size."],
        "categories": ["Computer Vision"],
        "keywords": ["vehicles", "aerial"],
        "logo_url": "https://vehicle-detector-public.s3.amazonaws.com/logo.png",
        "support": "Write to support@example.com; we answer within two working days.",
        "resources": [{"text": "Manual", "url": "https://vehicles.example.com/manual.html"}],
    },
    "usage": {
        "instructions": INSTRUCTIONS,
        "notebook": "samples/notebook.ipynb",
        "notebook_url": "https://github.com/example/vehicles/blob/main/notebook.ipynb",
        "repository_url": "https://github.com/example/vehicles",
        "input": {
            "description": "A JSON object with the image's pixels, for endpoints and for transform jobs alike.",
            "limitations": "Images of at most 20 MB.",
            "realtime_sample": {"file": "samples/one.json"},
            "batch_sample": {"url": "https://github.com/example/vehicles/blob/main/samples/one.json"},
            "parameters": [{"name": "image", "description": "The pixels, row by row.", "required": True}],
        },
        "output": {
            "description": "A JSON object with a list of boxes, for endpoints and for transform jobs alike.",
            "realtime_sample": {"text": '{"boxes": []}'},
            "batch_sample": {"text": '{"boxes": []}'},
            "parameters": [{"name": "boxes", "description": "One for each vehicle.", "always_returned": True}],
        },
    },
}


def changed(path: str, value: object) -> dict[str, Any]:
    """The clean table with the value at a dotted path; `...` takes the key away."""
    table = copy.deepcopy(dict(CLEAN))
    *folders, last = path.split("/")
    inner = table
    for folder in folders:
        inner = inner[folder]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return table
