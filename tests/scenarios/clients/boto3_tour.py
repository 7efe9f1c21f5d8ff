"""A client of Amazon SageMaker, written against AWS's documentation alone; it knows nothing of any simulator.

Creates a model, an endpoint and an asynchronous endpoint, invokes them in every way, runs a transform job, describes
and lists what is there, and deletes everything. Prints one JSON object. Region, credentials and endpoint URLs come
from the environment, as boto3 reads it.

    python boto3_tour.py IMAGE ROLE_ARN BUCKET ROWS.csv
"""

import json
import sys
import time
import uuid
from pathlib import Path
from urllib.parse import urlparse

import boto3
from botocore.exceptions import ClientError

IMAGE, ROLE, BUCKET, ROWS = sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4])
unique = uuid.uuid4().hex[:8]
model_name, config_name, endpoint_name, job_name = (f"tour-{kind}-{unique}" for kind in ("m", "c", "e", "j"))
async_config_name, async_endpoint_name = f"tour-ac-{unique}", f"tour-ae-{unique}"
sagemaker = boto3.client("sagemaker")
runtime = boto3.client("sagemaker-runtime")
s3 = boto3.client("s3")
found: dict[str, object] = {}

sagemaker.create_model(
    ModelName=model_name,
    PrimaryContainer={"Image": IMAGE, "Environment": {"TOUR": "yes"}},
    ExecutionRoleArn=ROLE,
    EnableNetworkIsolation=True,
    Tags=[{"Key": "purpose", "Value": "tour"}],
)
variant = {
    "VariantName": "blue",
    "ModelName": model_name,
    "InstanceType": "ml.m5.large",
    "InitialInstanceCount": 1,
    "InitialVariantWeight": 1.0,
}
capture = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": f"s3://{BUCKET}/capture",
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
}
sagemaker.create_endpoint_config(
    EndpointConfigName=config_name, ProductionVariants=[variant], DataCaptureConfig=capture
)
sagemaker.create_endpoint(EndpointName=endpoint_name, EndpointConfigName=config_name)
found["status_at_first"] = sagemaker.describe_endpoint(EndpointName=endpoint_name)["EndpointStatus"]
sagemaker.create_endpoint_config(
    EndpointConfigName=async_config_name,
    ProductionVariants=[variant],
    AsyncInferenceConfig={
        "OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/async/out", "S3FailurePath": f"s3://{BUCKET}/async/failed"}
    },
)
sagemaker.create_endpoint(EndpointName=async_endpoint_name, EndpointConfigName=async_config_name)
for name in (endpoint_name, async_endpoint_name):
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
description = sagemaker.describe_endpoint(EndpointName=endpoint_name)
found["status"] = description["EndpointStatus"]
found["variants"] = [(one["VariantName"], one["CurrentInstanceCount"]) for one in description["ProductionVariants"]]

body = ROWS.read_bytes()
answer = runtime.invoke_endpoint(EndpointName=endpoint_name, ContentType="text/csv", Accept="text/csv", Body=body)
found["variant"] = answer["InvokedProductionVariant"]
found["content_type"] = answer["ContentType"]
whole = answer["Body"].read().decode()
found["rows"] = len(whole.splitlines())

streamed = runtime.invoke_endpoint_with_response_stream(
    EndpointName=endpoint_name, ContentType="text/csv", Accept="text/csv", Body=body
)
parts = [event["PayloadPart"]["Bytes"] for event in streamed["Body"] if "PayloadPart" in event]
found["stream_is_the_same"] = b"".join(parts).decode() == whole

try:
    runtime.invoke_endpoint(EndpointName=endpoint_name, ContentType="text/csv", Body=b"not,a,number\n")
except ClientError as error:
    found["error"] = error.response["Error"]["Code"], error.response["OriginalStatusCode"]

s3.put_object(Bucket=BUCKET, Key="async/in/rows.csv", Body=body)
accepted = runtime.invoke_endpoint_async(
    EndpointName=async_endpoint_name,
    InputLocation=f"s3://{BUCKET}/async/in/rows.csv",
    ContentType="text/csv",
    Accept="text/csv",
    InferenceId="tour-1",
)
found["inference_id"] = accepted["InferenceId"]
output = urlparse(accepted["OutputLocation"])
for _ in range(600):
    try:
        result = s3.get_object(Bucket=output.netloc, Key=output.path.lstrip("/"))["Body"].read().decode()
        break
    except s3.exceptions.NoSuchKey:
        time.sleep(0.1)
else:
    raise SystemExit(f"no result at {accepted['OutputLocation']}")
found["async_is_the_same"] = result == whole

s3.put_object(Bucket=BUCKET, Key="batch/in/a.csv", Body=body)
s3.put_object(Bucket=BUCKET, Key="batch/in/deeper/b.csv", Body=body)
sagemaker.create_transform_job(
    TransformJobName=job_name,
    ModelName=model_name,
    MaxConcurrentTransforms=2,
    BatchStrategy="MultiRecord",
    TransformInput={
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/batch/in/"}},
        "ContentType": "text/csv",
        "SplitType": "Line",
    },
    TransformOutput={"S3OutputPath": f"s3://{BUCKET}/batch/out", "Accept": "text/csv", "AssembleWith": "Line"},
    TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    DataProcessing={"JoinSource": "Input", "OutputFilter": "$[0,-1]"},
)
sagemaker.get_waiter("transform_job_completed_or_stopped").wait(
    TransformJobName=job_name, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
)
found["job_status"] = sagemaker.describe_transform_job(TransformJobName=job_name)["TransformJobStatus"]
listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="batch/out/")
found["job_keys"] = [one["Key"] for one in listed["Contents"]]
joined = s3.get_object(Bucket=BUCKET, Key="batch/out/a.csv.out")["Body"].read().decode()
first = body.decode().splitlines()[0].split(",")[0], whole.splitlines()[0].split(",")[-1]
found["joined_is_right"] = joined.splitlines()[0].split(",") == list(first)

found["listed"] = [
    one["EndpointName"]
    for page in sagemaker.get_paginator("list_endpoints").paginate(NameContains=unique, MaxResults=1)
    for one in page["Endpoints"]
]
model_arn = sagemaker.describe_model(ModelName=model_name)["ModelArn"]
found["tags"] = sagemaker.list_tags(ResourceArn=model_arn)["Tags"]

for name in (endpoint_name, async_endpoint_name):
    sagemaker.delete_endpoint(EndpointName=name)
for name in (endpoint_name, async_endpoint_name):
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
for name in (config_name, async_config_name):
    sagemaker.delete_endpoint_config(EndpointConfigName=name)
sagemaker.delete_model(ModelName=model_name)
try:
    sagemaker.describe_endpoint(EndpointName=endpoint_name)
except ClientError as error:
    found["after"] = error.response["Error"]["Code"]
captured = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"capture/{endpoint_name}/blue/")
found["captured"] = sum(
    len(s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read().splitlines())
    for one in captured.get("Contents", [])
)
json.dump(found, sys.stdout)
