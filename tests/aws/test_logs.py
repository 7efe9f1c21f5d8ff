"""The last lines of a log: in order, few, and why where nobody may read it."""

from argosy.aws import logs
from argosy.aws.call import Call
from argosy.errors import AwsError
from tests.deployment.replies import Replies


def test_the_last_lines_of_all_pages() -> None:
    pages = [{"events": [{"message": f"line {page}-{line}\n"} for line in range(15)]} for page in range(3)]
    lines = logs.last_lines(Replies({"FilterLogEvents": pages}), logs.log_call("us-east-1", "/x"))
    assert len(lines) == 20
    assert (lines[0], lines[-1]) == ("line 1-10", "line 2-14")


def test_a_log_without_end_is_left_off_visibly() -> None:
    endless = ({"events": [{"message": "again"}]} for _ in iter(int, 1))
    assert logs.last_lines(Replies({"FilterLogEvents": endless}), logs.log_call("us-east-1", "/x"))[-1] == (
        "(the log goes on)"
    )


def test_who_may_not_read_it_is_told_so() -> None:
    denied = Replies({"FilterLogEvents": AwsError("logs:FilterLogEvents", "AccessDeniedException")})
    (line,) = logs.last_lines(denied, logs.log_call("us-east-1", "/x"))
    assert line.startswith("(the log cannot be read: ")
    assert "AccessDeniedException" in line


def test_a_log_that_is_not_there_has_no_line() -> None:
    gone = Replies({"FilterLogEvents": AwsError("logs:FilterLogEvents", "ResourceNotFoundException")})
    assert logs.last_lines(gone, logs.log_call("us-east-1", "/x")) == ()


def test_a_call_names_what_is_asked_for_and_nothing_else() -> None:
    group = {"logGroupName": "/aws/sagemaker/TransformJobs"}
    assert logs.log_call("us-east-1", logs.TRANSFORM_JOBS) == Call("logs", "FilterLogEvents", "us-east-1", group)
    wanted = {**group, "logStreamNamePrefix": "job/", "startTime": 5}
    assert logs.log_call("us-east-1", logs.TRANSFORM_JOBS, "job/", 5).parameters == wanted
