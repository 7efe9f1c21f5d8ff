"""Why SageMaker or AWS Marketplace asks: what happens there to an image that does not keep a clause.

A clause says what is asked and where that is written; these are the consequences, for `argosy check --explain`.
"""

from collections.abc import Mapping
from typing import Any, Final

from argosy.conformance.check import Check

BY_GROUP: Final[Mapping[str, str]] = {
    "image": "SageMaker takes the image as it is stored and starts it unchanged; nobody can mend it on the way, and"
    " an image that it cannot take or start fails the creation of the model or of its endpoint.",
    "start": "The platform starts the container, waits, and gives up: an endpoint fails and is not created, a"
    " transform job fails after the instance was paid for, and the validation of a model package is such a job.",
    "health": "The platform decides by health checks alone whether invocations may come, and whether an instance is"
    " replaced while it serves.",
    "invocations": "One and the same route serves endpoints and transform jobs; what it refuses or answers wrongly,"
    " each caller sees as a ModelError, and a transform job fails with it.",
    "errors": "The platform passes the container's status on to the caller, bills by it, and retries by it.",
    "stop": "Containers are stopped with every update, every scaling in and every end of a job, while requests are"
    " under way.",
    "bodies": "What callers send, and how it is framed on the way, is not the seller's to choose: a server that reads"
    " one size or framing alone refuses the others' invocations.",
    "load": "An endpoint sends as many invocations at once as its callers do, to one container, and each waits for an"
    " answer of its own.",
    "streams": "A streamed answer is passed on part by part as it comes; one that is gathered first reaches nobody in"
    " time, and one that ends early looks whole.",
    "log": "CloudWatch gets what the container writes to stdout and stderr and nothing else; the buyer can read it, and"
    " the seller cannot.",
    "metering": "With a price per inference AWS bills by a header of each answer: a wrong one bills too much, or"
    " nothing.",
    "transform jobs": "AWS validates every model package by a transform job, and buyers run them over whole buckets:"
    " one mini-batch that fails, fails the job.",
    "isolation": "Instances come and go: the same image is started anew, with the memory and the disk of another type,"
    " on files that are as they were delivered.",
    "serverless": "A serverless endpoint starts containers while callers wait, with little memory, no GPU and a user"
    " of its own.",
    "multi-model": "One container has many models, which SageMaker loads and unloads by requests of its own; a server"
    " that does not know them answers 404 to every invocation.",
    "pipeline": "Several containers share one network, each gets a port by a variable, and the answer of one is the"
    " request of the next.",
    "drills": "What happens to a container in a year of service: processes that die, clients that vanish, memory that"
    " runs out. Callers should see errors for seconds and no wrong answers.",
    "package": "A model package for AWS Marketplace is made once and cannot be changed: what is wrong in it costs a new"
    " version, and what it declares is what buyers can deploy.",
    "instances": "Buyers choose among the instance types that the package declares and no others, and AWS validates it"
    " on one of them.",
    "validation": "AWS runs the package's own transform job before it can be listed; a package whose job fails is of"
    " status Failed, hours later.",
    "account": "Repository, bucket, roles and package have to be in one region and belong to the seller: SageMaker"
    " denies access to anything else only when the package is made.",
    "pricing": "A price has to be there for each instance type that buyers can choose, and the change set that lacks"
    " one is refused as a whole.",
    "listing": "AWS reviews each product by hand before it is public; a text that is missing, too long or not"
    " substantiated sends it back for days.",
    "usage": "Buyers see no code of the seller's: what they need to call the model stands here, and AWS's review looks"
    " for it.",
    "notebook": "AWS's review runs the sample notebook, and buyers start from it: what works in one account or region"
    " alone fails there.",
    "aws": "What the account lacks is seen only when the package is made: by a refusal, or by a validation that fails"
    " after hours. Each of these was asked for beforehand, and nothing was changed.",
    "engine": "Images are run and proved here before anybody pays for an instance; without an engine or a sandbox"
    " nothing is seen of what a container does.",
    "disk": "Images have gigabytes, and a disk that is full ends a build or a check in the middle.",
    "capacity": "What is tried with less than the instance type has is slower here, or is killed for want of memory.",
    "software": "What lacks is seen only when a command wants it; here it is seen before.",
}
"""Group of the report -> why its clauses are asked."""

BY_CLAUSE: Final[Mapping[str, str]] = {
    "image-manifest": "SageMaker answers 400 to a manifest of another media type when the model is created. What"
    " builds attestations makes an index of every image, although it holds one platform only.",
    "image-platform": "A model package is validated by a transform job, and no instance type of those has a processor"
    " other than amd64: the program could not be executed.",
    "image-exec-form": "In the shell form the first process is /bin/sh, which passes no SIGTERM on: the server is"
    " killed after 30 seconds with its requests under way.",
    "image-init": "AWS names tini as an entry point that does not work: it takes the platform's argument `serve` for"
    " the program that it has to start.",
    "image-root": "The platform mounts artifacts and writes as root; another user meets permissions that it does not"
    " have, at some folder and on some instance types only.",
    "image-gpu-driver": "The host mounts its own driver into the container. One that the image brings is found first"
    " and does not fit the host's kernel module.",
    "image-secrets": "Every buyer runs the image, and whoever runs an image can read its files, its environment and"
    " its history; AWS Marketplace scans the layers, too.",
    "image-serve": "The platform replaces CMD by `serve`, and keeps ENTRYPOINT. What that names has to be there and"
    " executable, or the container ends before its first line of log.",
    "model-archive": "SageMaker unpacks the archive itself before the container starts; an archive that it refuses,"
    " or that leads out of its folder, fails the model without a line in the container's log.",
    "start-port": "Health checks and invocations come over the network of the container to port 8080; a server on"
    " 127.0.0.1 hears none of them.",
    "start-healthy": "After 8 minutes without a healthy answer the endpoint fails. A buyer may grant more time, the"
    " validation of a model package cannot.",
    "start-offline": "What is sold on AWS Marketplace runs with network isolation: no Internet, no AWS API, no"
    " credentials. A download at the start waits until the health checks have given up.",
    "start-read-only-model": "The artifacts are mounted read-only: a lock file, a cache or a compiled kernel beside"
    " them cannot be written.",
    "ping": "A health check that is late is a failed one; some of them in a row and the instance is replaced.",
    "ping-honest": "A static 200 lets invocations come before the model is loaded, and keeps a broken instance in"
    " service: its callers see errors, and nobody replaces it.",
    "ping-any-host": "The platform asks with host names of its own; frameworks that allow named hosts alone answer"
    " 400, and the endpoint never gets healthy.",
    "ping-busy": "Health checks go on under load. A server whose only worker predicts answers late, and a busy"
    " instance is taken for a dead one.",
    "accept-connection": "The platform waits 250 ms for a connection, however long the answer may take then. A server"
    " whose queue of connections is full, or whose process is busy, loses the request.",
    "invocations": "It is the only route by which the model is used, by buyers and by AWS's own validation.",
    "invocation-headers": "The platform strips headers, adds its own over the years, and passes on what the caller"
    " left out as missing.",
    "media-type-parameters": "Clients and libraries add a charset to text types by themselves; RFC 9110 gives it no"
    " say in what the type is.",
    "large-body": "Endpoints take bodies of 25 MB; proxies and frameworks have limits of 1 to 6 MB by default, and"
    " the caller sees a 413 that the seller never saw.",
    "execution-parameters": "A transform job asks for it before its first invocation, and takes its concurrency and"
    " body size from it; what it cannot read makes the job fail.",
    "error-status": "A product with a price per inference bills each 2xx: an error that is answered with 200 is paid"
    " for by the buyer, and no alarm counts it.",
    "error-client": "A caller who sees 5xx retries, and so does a transform job, three times a mini-batch; with 4xx"
    " it knows that the request itself is wrong.",
    "error-traceback": "The answer reaches the buyer as it is: paths, lines and values of a program that they did not"
    " buy the sources of.",
    "error-survival": "One bad request of one caller must not end the service of all: the instance is replaced, which"
    " takes minutes.",
    "stop-grace": "30 seconds after SIGTERM comes SIGKILL; what was under way is lost, and what was not flushed, too.",
    "stop-drain": "An instance that is scaled in still has requests: those that end with the server are errors that"
    " only their callers see.",
    "buyer-retries": "A client that repeats what took too long pays for both: the container answered the first one,"
    " too, and boto3 repeats by itself.",
    "buyer-environment": "CreateModel refuses `Environment` for a model package that was bought: the buyer's first call"
    " fails with the seller's own example.",
    "buyer-isolation": "CreateModel refuses a model package of AWS Marketplace without network isolation: the buyer's"
    " first call fails with the seller's own example.",
    "sdk": "ECR's tokens, --online and publishing go through AWS's SDK for Python.",
    "credentials": "Pushing to ECR and publishing are calls to AWS in somebody's name.",
    "region": "Calls go to one region's API, and what is in another one is not found there.",
    "identity": "Credentials that have expired or are somebody else's are seen only when something is pushed.",
    "clock": "Each call is signed with the time, and AWS refuses one that is five minutes off.",
    "stop-exit-code": "The exit code stands in the job's or endpoint's events; one other than 0 looks like a crash.",
}
"""Id of a clause -> why it is asked."""


def reason_of(check: Check[Any]) -> str:
    """Why a check's clause is asked: its own reason, or its group's; empty where neither is written down."""
    return BY_CLAUSE.get(check.clause.id) or BY_GROUP.get(check.group, "")
