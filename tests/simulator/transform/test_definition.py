import json
from typing import Any

import pytest

from argosy.errors import UsageError
from argosy.simulator.storage.objects import ObjectUri
from argosy.simulator.transform.definition import CompressionType, JoinSource, TransformJobDefinition
from tests.simulator.transform.conftest import definition

REQUEST: dict[str, Any] = {
    "TransformJobName": "a-job",
    "ModelName": "a-model",
    "MaxConcurrentTransforms": 2,
    "ModelClientConfig": {"InvocationsTimeoutInSeconds": 120, "InvocationsMaxRetries": 1},
    "MaxPayloadInMB": 1,
    "BatchStrategy": "MultiRecord",
    "Environment": {"A": "b"},
    "TransformInput": {
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://in/put"}},
        "ContentType": "text/csv",
        "CompressionType": "Gzip",
        "SplitType": "Line",
    },
    "TransformOutput": {"S3OutputPath": "s3://out/put", "Accept": "text/csv", "AssembleWith": "Line", "KmsKeyId": "k"},
    "DataCaptureConfig": {"DestinationS3Uri": "s3://captured", "GenerateInferenceId": True},
    "TransformResources": {"InstanceType": "ml.m4.xlarge", "InstanceCount": 3},
    "DataProcessing": {"InputFilter": "$[1:]", "OutputFilter": "$[0,-1]", "JoinSource": "Input"},
    "Tags": [{"Key": "a", "Value": "b"}],
    "ExperimentConfig": {"TrialName": "t"},
}


def test_a_request_and_its_definition_say_the_same() -> None:
    job = TransformJobDefinition.from_request(REQUEST)
    assert job.to_request() == REQUEST
    assert json.loads(json.dumps(job.to_request())) == REQUEST
    assert job.input_uri == ObjectUri("in", "put")
    assert job.output_uri == ObjectUri("out", "put")
    assert job.transform_input.compression_type is CompressionType.GZIP
    assert job.data_processing.join_source is JoinSource.INPUT
    assert job.model_client_config.invocations_timeout_in_seconds == 120
    assert job.transform_resources.instance_count == 3


def test_what_a_request_leaves_out_is_as_the_service_has_it() -> None:
    job = definition()
    assert (job.transform_input.split_type, job.transform_output.assemble_with) == ("None", "None")
    assert (job.max_payload_in_mb, job.max_concurrent_transforms, job.batch_strategy) == (None, None, None)
    assert job.model_client_config.invocations_timeout_in_seconds == 600
    assert job.model_client_config.invocations_max_retries == 3
    assert job.headers == {}
    assert not job.data_processing.is_active


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"MaxPayloadInMB": -1}, "MaxPayloadInMB is out of range"),
        ({"MaxPayloadInMB": 101}, "MaxPayloadInMB is out of range"),
        ({"MaxConcurrentTransforms": -1}, "MaxConcurrentTransforms is out of range"),
        ({"MaxConcurrentTransforms": 11, "MaxPayloadInMB": 10}, "MaxConcurrentTransforms times MaxPayloadInMB"),
        ({"InvocationsTimeoutInSeconds": 3601}, "InvocationsTimeoutInSeconds"),
        ({"InvocationsMaxRetries": 4}, "InvocationsMaxRetries"),
        ({"InstanceCount": 0}, "InstanceCount"),
        ({"Accept": "a" * 257}, "Accept is not a header value"),
        ({"ContentType": "text/csv\r\nX-Other: 1"}, "ContentType is not a header value"),
        ({"S3Uri": "bucket/key"}, "this is no S3 URI"),
        ({"S3DataType": "AugmentedManifestFile"}, "no CreateTransformJob request"),
        ({"SplitType": "line"}, "no CreateTransformJob request"),
        ({"Nonsense": 1}, "Nonsense"),
        ({"Environment": {f"V{number}": "" for number in range(17)}}, "Environment is too large"),
        ({"Environment": {"1A": ""}}, "no variable"),
        ({"Environment": {"A": "x" * 10241}}, "no variable"),
        ({"JoinSource": "Input"}, "ContentType and an Accept"),
        ({"JoinSource": "Input", "ContentType": "text/csv", "Accept": "application/json"}, "ContentType and an Accept"),
        ({"JoinSource": "Input", "ContentType": "image/png", "Accept": "image/png"}, "ContentType and an Accept"),
        ({"JoinSource": "Input", "ContentType": "text/csv", "Accept": "text/csv"}, "SplitType and an AssembleWith"),
        ({"InputFilter": "$.a_b", "ContentType": "application/jsonlines", "Accept": "application/jsonlines"},
         'Unexpected "_" in JsonPath'),
        ({"InputFilter": "$." + "a" * 62, "ContentType": "application/json", "Accept": "application/json"}, "too long"),
        ({"DataCaptureConfig": {"DestinationS3Uri": "s3://c", "GenerateInferenceId": True}}, "GenerateInferenceId"),
    ],
)  # fmt: skip
def test_what_the_service_refuses_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as raised:
        definition(**fields)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("media_type", "split"),
    [("text/csv; charset=utf-8", "Line"), ("application/jsonlines", "Line"), ("application/jsonlines", "None"),
     ("application/json", "None"), ("application/json", "Line")],
)  # fmt: skip
def test_what_data_processing_takes(media_type: str, split: str) -> None:
    definition(JoinSource="Input", ContentType=media_type, Accept=media_type, SplitType=split, AssembleWith=split)


def test_fault_14_the_environment_holds_what_the_caller_set_and_nothing_else() -> None:
    assert definition().container_environment == {"SAGEMAKER_BATCH": "true"}
    job = definition(MaxPayloadInMB=0, BatchStrategy="SingleRecord", MaxConcurrentTransforms=4, Environment={"A": "b"})
    assert job.container_environment == {
        "A": "b",
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "0",
        "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "4",
    }
