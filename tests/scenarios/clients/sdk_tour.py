"""AWS's SageMaker SDK as people use it: a Model deployed, its Predictor, a Transformer; it knows of no simulator.

Region, credentials and endpoint URLs come from the environment. Prints one JSON object.

    python sdk_tour.py IMAGE ROLE_ARN BUCKET ROWS.csv
"""

import json
import sys
from pathlib import Path

import boto3
import sagemaker
from sagemaker.deserializers import CSVDeserializer
from sagemaker.model import Model
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer

IMAGE, ROLE, BUCKET, ROWS = sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4])
session = sagemaker.Session(default_bucket=BUCKET)
model = Model(image_uri=IMAGE, role=ROLE, sagemaker_session=session, predictor_cls=Predictor)
predictor = model.deploy(
    initial_instance_count=1,
    instance_type="ml.m5.large",
    serializer=CSVSerializer(),
    deserializer=CSVDeserializer(),
    wait=False,
)
boto3.client("sagemaker").get_waiter("endpoint_in_service").wait(
    EndpointName=predictor.endpoint_name, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
)
body = ROWS.read_text()
found: dict[str, object] = {"rows": len(predictor.predict(body))}

source = f"s3://{BUCKET}/sdk/in/rows.csv"
boto3.client("s3").put_object(Bucket=BUCKET, Key="sdk/in/rows.csv", Body=body.encode())
transformer = model.transformer(
    instance_count=1,
    instance_type="ml.m5.large",
    output_path=f"s3://{BUCKET}/sdk/out",
    accept="text/csv",
    assemble_with="Line",
    strategy="MultiRecord",
)
transformer.transform(source, content_type="text/csv", split_type="Line", wait=False)
transformer.wait(logs=False)
result = boto3.client("s3").get_object(Bucket=BUCKET, Key="sdk/out/rows.csv.out")["Body"].read().decode()
found["transformed"] = len(result.splitlines())
predictor.delete_endpoint()
model.delete_model()
print("RESULT", json.dumps(found))
