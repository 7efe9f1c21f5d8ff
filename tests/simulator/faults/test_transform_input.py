"""Faults 9 to 13 of the SageMaker SDK's local mode: how a transform job reads its input."""

import gzip
import json
from typing import Any

from tests.simulator.faults.conftest import Local, header
from tests.simulator.transform.test_framing import record_io, tf_record

MIB = 2**20
CSV = "text/csv"
LINES = {"TransformInput": {"SplitType": "Line"}}
ONE_BY_ONE = {**LINES, "BatchStrategy": "SingleRecord"}


def sizes(local: Local, name: str) -> list[int]:
    return [request["size"] for request in local.invocations(name)]


def test_fault_9_records_are_filtered_and_joined(local: Local) -> None:
    """Local mode: "DataProcessing ignored silently (InputFilter/OutputFilter/JoinSource)"."""
    described = local.transform(
        "joined",
        {"a.csv": b"id-1,10,20\nid-2,30,40\n"},
        TransformInput={"ContentType": CSV, "SplitType": "Line"},
        TransformOutput={"Accept": CSV, "AssembleWith": "Line"},
        DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
    )
    assert described["TransformJobStatus"] == "Completed"
    assert sizes(local, "joined") == [len(b"10,20\n30,40\n")]
    assert local.results("joined") == {"a.csv.out": b"id-1,20\nid-2,40\n"}


def test_fault_10_packed_objects_are_unpacked_and_sub_folders_are_read(local: Local) -> None:
    """Local mode: "CompressionType ignored", "S3 sub-prefixes/sub-directories are skipped (non-recursive listdir)"."""
    objects = {"a.gz": gzip.compress(b"1\n2\n"), "sub/deep/b.gz": gzip.compress(b"3\n")}
    given = {"CompressionType": "Gzip", "SplitType": "Line"}
    local.transform("packed", objects, TransformInput=given, BatchStrategy="SingleRecord")
    assert local.results("packed") == {"a.gz.out": b"1\n2\n", "sub/deep/b.gz.out": b"3\n"}
    assert sizes(local, "packed") == [2, 2, 2]


def test_fault_10_a_manifest_names_the_objects(local: Local) -> None:
    """Local mode: "ManifestFile sent as data"."""
    manifest: list[Any] = [{"prefix": "s3://listed/"}, "x/1.csv", "2.csv"]
    objects = {"m.json": json.dumps(manifest).encode(), "x/1.csv": b"1", "2.csv": b"2", "3.csv": b"3"}
    place = {"S3DataType": "ManifestFile", "S3Uri": "s3://listed/m.json"}
    assert local.transform("listed", objects, S3DataSource=place)["TransformJobStatus"] == "Completed"
    assert local.results("listed") == {"x/1.csv.out": b"1", "2.csv.out": b"2"}


def test_fault_10_tf_records_are_split(local: Local) -> None:
    """Local mode: "TFRecord unsupported (ValueError)"; a single record comes without its frame, several with theirs."""
    records = [b"one", b"three", b""]
    objects = {"a.tfrecord": b"".join(map(tf_record, records))}
    local.transform("tf-single", objects, TransformInput={"SplitType": "TFRecord"}, BatchStrategy="SingleRecord")
    assert sizes(local, "tf-single") == [3, 5, 0]
    local.transform("tf-multi", objects, TransformInput={"SplitType": "TFRecord"})
    assert local.results("tf-multi") == {"a.tfrecord.out": objects["a.tfrecord"]}


def test_fault_10_record_io_is_split(local: Local) -> None:
    """Local mode: "RecordIO now raises NotImplementedError in v3"."""
    records = [b"one", b"three", b"seventy"]
    objects = {"a.rec": b"".join(map(record_io, records))}
    local.transform("rio-single", objects, TransformInput={"SplitType": "RecordIO"}, BatchStrategy="SingleRecord")
    assert sizes(local, "rio-single") == [3, 5, 7]
    local.transform("rio-multi", objects, TransformInput={"SplitType": "RecordIO"})
    assert local.results("rio-multi") == {"a.rec.out": objects["a.rec"]}


def test_fault_11_binary_objects_take_the_default_strategy(local: Local) -> None:
    """Local mode: "Binary inputs with the default strategy (MultiRecord): TypeError: can only concatenate str (not
    "bytes") to str".
    """
    content = bytes(range(256)) * 40
    given = {"ContentType": "image/png"}
    for name, more in (("binary", {}), ("binary-multi", {"BatchStrategy": "MultiRecord"})):
        described = local.transform(name, {"image.png": content}, TransformInput=given, **more)
        assert described["TransformJobStatus"] == "Completed"
        assert local.results(name) == {"image.png.out": content}


def test_fault_12_a_payload_is_counted_in_the_bytes_that_are_sent(local: Local) -> None:
    """Local mode: "sys.getsizeof of a Python str: 1.2 MB UTF-8 CJK accepted with limit 1 MB; 0.3 MB ASCII + one emoji
    rejected".
    """
    large, small = ("日" * 400_000).encode(), b"x" * 300_000 + "🙂".encode()
    assert len(large) == 1_200_000
    described = local.transform("bytes", {"cjk": large, "emoji": small}, **LINES, MaxPayloadInMB=1)
    assert described["TransformJobStatus"] == "Failed"
    assert local.results("bytes") == {"emoji.out": small}
    assert sizes(local, "bytes") == [len(small)]
    assert any("cjk: record 0 is larger than MaxPayloadInMB" in line for line in local.data_log("bytes"))


def test_fault_12_neither_an_oversized_record_nor_an_empty_request_is_sent(local: Local) -> None:
    """Local mode: "Oversized first record ⇒ an empty request is sent first; an oversized record is sent anyway unless
    it is the last one. Empty file ⇒ one empty POST".
    """
    huge = b"x" * (MIB + 1) + b"\n"
    objects = {"a-first": huge + b"1\n", "b-middle": b"1\n" + huge + b"2\n", "c-empty": b"", "d-good": b"1\n"}
    described = local.transform("oversized", objects, **ONE_BY_ONE, MaxPayloadInMB=1)
    assert described["TransformJobStatus"] == "Failed"
    assert described["FailureReason"] == "ClientError: See job logs for more information"
    assert set(sizes(local, "oversized")) == {2}
    assert local.results("oversized") == {"d-good.out": b"1\n"}


def test_fault_13_bytes_stay_as_they_are(local: Local) -> None:
    """Local mode: "Text mode reading: locale encoding, CRLF rewritten to LF"."""
    content = "Müller\r\n".encode("latin-1") + b"plain\n\x80\xff\r\n"
    local.transform("crlf", {"a.csv": content}, **ONE_BY_ONE)
    assert local.results("crlf") == {"a.csv.out": content}
    assert sizes(local, "crlf") == [8, 6, 4]
    assert all(header(request, "Content-Type") is None for request in local.invocations("crlf"))
