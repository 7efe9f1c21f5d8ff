"""Docker or Podman through its command line: the only place that calls a container engine.

The user's own command is used, so that logins, contexts and storage settings work as they do by hand: whatever the
engine reads from the environment (`DOCKER_HOST`, `CONTAINERS_CONF`, …) it finds there.
"""

import json
import os
import re
import shutil
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from argosy.errors import EngineError, ImageError

DOCKER: Final = "docker"
PODMAN: Final = "podman"
PROGRAMS: Final = (DOCKER, PODMAN)

_ANSWER_TIMEOUT_S: Final = 20.0
_COMMAND_TIMEOUT_S: Final = 120.0
_CANCEL_TIMEOUT_S: Final = 20.0
_LAST_LINES: Final = 12
_OWN_BUILDKIT: Final = range(18, 23)
"""Major versions of Docker's command that have BuildKit's client in themselves; later ones need the plugin buildx:
docs.docker.com, "Docker Engine 23.0 release notes" (read 2026-11-22)."""

REMOVED: Final = 137
"""The exit code of a container that somebody else removed: engines end it with SIGKILL."""

_GONE: Final = ("no such", "not found", "not running", "unable to find", "no container", "can only kill running")
_WITHOUT: Final = "use `--container process`, which needs no engine"
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_LOADED = re.compile(r"Loaded image(?: ID|\(s\))?: (\S+)")


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What `docker run --detach` is told beside the image and its arguments.

    Attributes:
        name: The container's unique name.
        labels: So that leftovers can be found.
        environment: Variables added to those of the image.
        network: Name of a network that exists, or `none`, `host`, `bridge`.
        publish: A port of the container that is published on a free port of 127.0.0.1; None publishes nothing.
        read_only_mounts: Folder of this machine -> path in the container, read-only.
        flags: Further flags, verbatim.
    """

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    network: str | None = None
    publish: int | None = None
    read_only_mounts: Mapping[Path, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()

    def arguments(self) -> list[str]:
        """The flags, in the spelling that Docker and Podman share."""
        listed = ["--detach", "--pull=never", f"--name={self.name}"]
        listed += [f"--label={key}={value}" for key, value in sorted(self.labels.items())]
        listed += [f"--env={key}={value}" for key, value in sorted(self.environment.items())]
        listed += [f"--network={self.network}"] if self.network else []
        listed += [f"--publish=127.0.0.1::{self.publish}/tcp"] if self.publish else []
        listed += [
            f"--mount=type=bind,source={source},target={target},readonly"
            for source, target in self.read_only_mounts.items()
        ]
        return [*listed, *self.flags]


@dataclass(frozen=True, slots=True)
class Engine:
    """One container engine.

    Attributes:
        program: `docker` or `podman`.
        environ: The environment that its command is given.
    """

    program: str
    environ: Mapping[str, str] = field(repr=False)

    @property
    def is_podman(self) -> bool:
        """Whether the command is Podman's, which differs in networks and in how it spells image names."""
        return Path(self.program).name == PODMAN

    def version(self) -> str:
        """The version of what really answers: Docker's daemon, or Podman itself.

        Raises:
            EngineError: Nothing answers.
        """
        part = "Client" if self.is_podman else "Server"
        return self._call("version", "--format", f"{{{{.{part}.Version}}}}", timeout_s=_ANSWER_TIMEOUT_S).strip()

    def mounts_while_building(self) -> bool:
        """Whether `RUN --mount` works in a Dockerfile: with BuildKit and with Podman, not with Docker's old builder."""
        return self.is_podman or self._has_buildx() or self._has_own_buildkit()

    def build(self, context: Path, tag: str, secrets: Mapping[str, Path], say: Callable[[str], None]) -> None:
        """Build a folder's Dockerfile for linux/amd64, in Docker's own format and without attestations.

        When it is interrupted, the engine's build is, too.

        Args:
            context: The folder.
            tag: What the image is called.
            secrets: Files that are lent to the build, by id; the engine writes them nowhere.
            say: Told what the engine says, line by line.

        Raises:
            ImageError: The build failed; what the engine said last is in the message.
            EngineError: The engine is not installed.
        """
        command = [self.program, "build", "--platform=linux/amd64", f"--tag={tag}"]
        environ = {**self.environ, "DOCKER_BUILDKIT": "1"}
        if self.is_podman:
            command += ["--format=docker", "--identity-label=false"]
        elif self._has_buildx():
            command += ["--provenance=false", "--load", "--progress=plain"]
        elif self._has_own_buildkit():
            command += ["--progress=plain"]
        else:
            command += ["--force-rm"]
            environ["DOCKER_BUILDKIT"] = "0"
        command += [f"--secret=id={name},src={file}" for name, file in secrets.items()]
        code, said = _streamed([*command, str(context)], environ, say)
        if code != 0:
            raise ImageError(
                f"`{self.program} build` failed with exit code {code}",
                got="\n".join(said) or None,
                where=f"{context.name}/Dockerfile",
                hint="argosy build --eject writes the Dockerfile, for trying by hand",
            )

    def load(self, archive: Path) -> str:
        """Load a docker archive; returns the name of the first image in it, or its ID when it has none.

        Raises:
            EngineError: The engine refused the archive.
        """
        answer = self._call("load", "--input", str(archive), timeout_s=None)
        found = _LOADED.search(answer)
        if found is None:
            raise EngineError(f"`{self.program} load` did not say what it loaded", got=answer.strip(), where=archive)
        return found.group(1)

    def save(self, reference: str, archive: Path) -> None:
        """Write an image as a docker archive; nothing is left at `archive` when it fails.

        Raises:
            EngineError: There is no such image, or the disk is full.
        """
        aside = archive.with_name(f".{archive.name}.partial")
        aside.unlink(missing_ok=True)
        form = ["--format=docker-archive"] if self.is_podman else []
        try:
            self._call("save", *form, "--output", str(aside), reference, timeout_s=None)
            aside.replace(archive)
        finally:
            aside.unlink(missing_ok=True)

    def inspect_image(self, reference: str) -> dict[str, Any]:
        """What the engine knows of an image, as its own JSON object (the fields are the engine's, hence `Any`).

        Raises:
            EngineError: There is no such image.
        """
        return dict(json.loads(self._call("image", "inspect", reference))[0])

    def has_image(self, reference: str) -> bool:
        """Whether the engine has the image; nothing is pulled."""
        return bool(self._call("image", "ls", "--quiet", reference).strip())

    def description(self) -> dict[str, Any]:
        """What the engine says of itself, as its own JSON object (the fields are the engine's, hence `Any`)."""
        return dict(json.loads(self._call("info", "--format", "{{json .}}", timeout_s=_ANSWER_TIMEOUT_S)))

    def builder_driver(self) -> str:
        """What Docker's builds run on: `docker`, `docker-container`, …; empty without buildx."""
        said = self._call("buildx", "inspect") if self._has_buildx() else ""
        return next((line.split()[1] for line in said.splitlines() if line.startswith("Driver:")), "")

    def is_rootless(self) -> bool:
        """Whether this is Podman without root, whose networks this machine cannot reach but by published ports."""
        return self.is_podman and bool(self.description()["host"]["security"]["rootless"])

    def remove_image(self, reference: str) -> None:
        """Remove a name of an image, and the image with its last name; what it was built on stays."""
        self._call("image", "rm", "--no-prune", reference)

    def create_network(self, name: str, labels: Mapping[str, str], flags: Sequence[str]) -> None:
        """Create a network; `flags` are the driver's options."""
        listed = [f"--label={key}={value}" for key, value in sorted(labels.items())]
        self._call("network", "create", *listed, *flags, name)

    def remove_network(self, name: str) -> None:
        """Remove a network; it need not exist."""
        self._call_unless_gone("network", "rm", name)

    def run(self, image: str, arguments: Sequence[str], options: RunOptions) -> str:
        """Start a container in the background; returns its ID. Nothing is pulled.

        Raises:
            EngineError: The container could not be created or started; what was created stays, named `options.name`.
        """
        return self._call("run", *options.arguments(), image, *arguments).strip().splitlines()[-1]

    def inspect_container(self, container: str) -> dict[str, Any]:
        """What the engine knows of a container, as its own JSON object (the fields are the engine's, hence `Any`)."""
        return dict(json.loads(self._call("container", "inspect", container))[0])

    def labelled(self, kind: str, label: str) -> list[str]:
        """The names of all containers (`container`) or networks (`network`) that have a label, running or not."""
        every, name = (("--all",), "{{.Names}}") if kind == "container" else ((), "{{.Name}}")
        return self._call(kind, "ls", *every, f"--filter=label={label}", f"--format={name}").split()

    def exit_code(self, container: str) -> int | None:
        """Its exit code (128 + a signal's) once it has ended, `REMOVED` when it is not there, None while it runs."""
        try:
            state = self.inspect_container(container)["State"]
        except EngineError as error:
            if _is_missing(error):
                return REMOVED
            raise
        return None if state["Running"] or state["Status"] == "created" else int(state["ExitCode"])

    def wait(self, container: str, timeout_s: float) -> int | None:
        """Wait for the end of a container; its exit code, or None when it still runs after `timeout_s`."""
        try:
            return int(self._call("wait", container, timeout_s=timeout_s).strip())
        except EngineError as error:
            if isinstance(error.__cause__, subprocess.TimeoutExpired):
                return None
            raise

    def kill(self, container: str, signal_name: str) -> None:
        """Send a signal (`TERM`, `KILL`) to the first process of a container; it may have ended already."""
        self._call_unless_gone("kill", f"--signal={signal_name}", container)

    def start(self, container: str) -> None:
        """Start a container again that has ended."""
        self._call("start", container)

    def changes(self, container: str) -> list[str]:
        """The paths of files and folders that a container made, changed or removed in its file system."""
        return [line[2:] for line in self._call("diff", container).splitlines() if line[1:2] == " "]

    def logs(self, container: str) -> str:
        """What the container wrote to stdout and stderr, in the engine's order; empty when it is gone."""
        try:
            return self._call("logs", container, merge_stderr=True)
        except EngineError as error:
            if _is_missing(error):
                return ""
            raise

    def remove_container(self, container: str) -> None:
        """Kill and remove a container with its anonymous volumes; it need not exist."""
        at_once = ["--time=0"] if self.is_podman else []  # Podman asks first and waits 10 s
        self._call_unless_gone("rm", "--force", *at_once, "--volumes", container)

    def _has_buildx(self) -> bool:
        if self.is_podman or self.environ.get("DOCKER_BUILDKIT") == "0":
            return False
        with suppress(EngineError):
            self._call("buildx", "version", timeout_s=_ANSWER_TIMEOUT_S)
            return True
        return False

    def _has_own_buildkit(self) -> bool:
        if self.is_podman or self.environ.get("DOCKER_BUILDKIT") == "0":
            return False
        version = self._call("version", "--format", "{{.Client.Version}}", timeout_s=_ANSWER_TIMEOUT_S)
        major = version.partition(".")[0]
        return major.isdigit() and int(major) in _OWN_BUILDKIT

    def _call_unless_gone(self, *arguments: str) -> None:
        try:
            self._call(*arguments)
        except EngineError as error:
            text = str(error.got).lower()
            if not any(sign in text for sign in _GONE):
                raise

    def _call(self, *arguments: str, timeout_s: float | None = _COMMAND_TIMEOUT_S, merge_stderr: bool = False) -> str:
        """Run the engine's command; its stdout.

        The arguments never enter an error: they may carry the values of environment variables.
        """
        verb = " ".join([self.program, *arguments[: 2 if arguments[0] in ("image", "network", "container") else 1]])
        try:
            ended = subprocess.run(
                [self.program, *arguments],
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if merge_stderr else subprocess.PIPE,
                timeout=timeout_s,
                check=False,
                start_new_session=True,  # Ctrl-C is ours to handle: a removal under way must not be cut short
            )
        except FileNotFoundError as error:
            raise _not_installed(self.program) from error
        except subprocess.TimeoutExpired as error:
            raise EngineError(f"`{verb}` did not end", want=f"an answer within {timeout_s:g} s") from error
        if ended.returncode != 0:
            complaint = (ended.stdout if merge_stderr else ended.stderr).decode(errors="replace").strip()
            raise EngineError(f"`{verb}` failed with exit code {ended.returncode}", got=complaint or None)
        return ended.stdout.decode(errors="replace")


def _streamed(
    command: Sequence[str], environ: Mapping[str, str], say: Callable[[str], None]
) -> tuple[int, Sequence[str]]:
    """Run a command, tell its lines as they come; its exit code, and the last of them."""
    last: deque[str] = deque(maxlen=_LAST_LINES)
    null, pipe, same = subprocess.DEVNULL, subprocess.PIPE, subprocess.STDOUT
    try:
        process = subprocess.Popen(
            command, env=dict(environ), stdin=null, stdout=pipe, stderr=same, start_new_session=True
        )
    except FileNotFoundError as error:
        raise _not_installed(command[0]) from error
    with process:
        try:
            assert process.stdout is not None
            for content in process.stdout:
                line = _COLOUR.sub("", content.decode(errors="replace")).rstrip()
                say(line)
                if line:
                    last.append(line)
        except BaseException:  # Ctrl-C: nobody wants the image any more
            _cancel(process)
            raise
    return process.returncode, last


def _cancel(process: subprocess.Popen[bytes]) -> None:
    """End a command and what it started: asked first, so that the engine hears of it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_CANCEL_TIMEOUT_S)
            return


def _not_installed(program: str) -> EngineError:
    return EngineError(f"`{program}` is not installed", where="PATH", hint=_WITHOUT)


def _is_missing(error: EngineError) -> bool:
    """Whether the engine says that there is no such container, and not that it does not work itself."""
    return "no such container" in str(error.got).lower() or "no container with name" in str(error.got).lower()


def find(program: str | None, environ: Mapping[str, str], instead: str = _WITHOUT) -> Engine:
    """The engine of that name, or the first that answers: Docker, then Podman.

    Args:
        program: `docker`, `podman` or a path of one of them; None takes the first that answers.
        environ: The environment that the engine's command is given.
        instead: What to do without an engine, for the hint.

    Raises:
        EngineError: None answers; the reason of each is in the message.
    """
    refusals: list[str] = []
    for candidate in (program,) if program else PROGRAMS:
        path = shutil.which(candidate, path=environ.get("PATH"))
        if path is None:
            refusals.append(f"`{candidate}` is not installed")
            continue
        engine = Engine(candidate, environ)
        try:
            engine.version()
        except EngineError as error:
            refusals.append(error.message.splitlines()[0])
        else:
            return engine
    raise EngineError(
        "no container engine answers" if program is None else f"`{program}` does not answer",
        got="; ".join(refusals),
        hint=f"start it (`sudo systemctl start docker`), or {instead}",
    )
