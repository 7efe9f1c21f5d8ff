"""The `argosy` command: finds the verb, and turns errors into sentences and exit codes."""

import gc
import importlib
import signal
import sys
from typing import Final

import click

from argosy.errors import (
    ArgosyError,
    AwsError,
    EngineError,
    NetworkError,
    NotScannedError,
    RegistryError,
    UsageError,
)

VERBS: Final = {
    "init": ("building.init", "Look at a saved model, and write a project that serves it."),
    "serve": ("serve", "Serve a project on this machine, as its image would."),
    "pack": ("pack", "Write the artifacts of a project as model.tar.gz."),
    "lock": ("lock", "Lock the dependencies of a project for its image."),
    "build": ("build", "Build the inference image of a project, with no daemon."),
    "simulate": ("simulate", "Run an image as SageMaker does: an endpoint, a transform job, or all of its API."),
    "check": ("check", "Check an image against what SageMaker demands."),
    "doctor": ("doctor", "Check this machine: engine, disks, AWS, clock, libraries."),
    "image": ("image", "Show an image, compare two, or convert one into what SageMaker takes."),
    "describe": ("selling.describe", "Find out what buyers have to know of an image: parameters, samples, latency."),
    "push": ("selling.push", "Store the image of a project in Amazon ECR, scanned."),
    "register": ("selling.register", "Make the model package of a project's version, validated by SageMaker."),
    "release": ("selling.release", "Make the model package in each region in which it is offered."),
    "publish": ("selling.publish", "Make the product at AWS Marketplace, or change it into what argosy.toml says."),
    "offer": ("selling.offer", "Offer the product to accounts that are named, at prices of their own."),
    "iam": ("selling.iam", "Print what IAM has to allow for a verb, and no more."),
    "kit": ("selling.kit", "Write what buyers are handed: notebook, client, samples, policies."),
    "subscribe": ("buying.subscribe", "Subscribe to a product of AWS Marketplace, after its quote and a yes."),
    "deploy": ("buying.deploy", "Deploy a model package as an endpoint."),
    "invoke": ("buying.invoke", "Send requests to an endpoint; streams are printed as they come."),
    "transform": ("buying.transform", "Run a transform job of AWS over a folder, or over objects of S3."),
    "destroy": ("buying.destroy", "Delete what deploy made, and say what still costs money."),
    "bill": ("selling.bill", "Foresee what AWS Marketplace charges for requests and hours."),
}
"""Verb -> its module below `argosy.cli`, which has a click command named `command`; one sentence."""

EXIT_EXAMINED_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_SURROUNDINGS: Final = 3
EXIT_INTERRUPTED: Final = 130

_SURROUNDINGS = (AwsError, EngineError, NetworkError, NotScannedError, RegistryError)


class _Verbs(click.Group):
    """Imports a verb's module only when it is called, so that `argosy --help` is quick and needs no toolkit."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        # httpx would load its own command line, and with it rich and pygments; it goes on where that is not installed.
        sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None keeps a module from being imported
        gc.disable()  # nothing that is imported is garbage, and looking for it takes longer than importing
        try:
            module = importlib.import_module(f"argosy.cli.{VERBS[cmd_name][0]}")
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] == "argosy":
                raise
            raise UsageError(
                f"`argosy {cmd_name}` needs the toolkit, and `{error.name}` is not installed",
                hint="pip install 'argosy[toolkit]'",
            ) from error
        finally:
            gc.freeze()  # nor is it looked at when the process ends
            gc.enable()
        found: click.Command = module.command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, sentence) for verb, (_, sentence) in VERBS.items()])


@click.group("argosy", cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="argosy")
def command() -> None:
    """Package a trained model as a SageMaker inference image and prove it on this machine.

    Images are named as skopeo names them: oci:DIR[:TAG], docker-archive:FILE[:REF], docker-daemon:REF,
    containers-storage:REF, docker://REF; a project folder stands for itself. Exit codes: 0 done, 1 the examined thing
    failed, 2 usage, 3 surroundings.
    """


def main() -> None:
    """Run the command line and leave the process with its exit code; SIGTERM cleans up as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        result = command.main(prog_name="argosy", standalone_mode=False)
    except ArgosyError as error:
        _fail(str(error), exit_code(error))
    except click.exceptions.Abort:
        _fail("interrupted", EXIT_INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_USAGE)
    except KeyboardInterrupt:
        _fail("interrupted", EXIT_INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(EXIT_SURROUNDINGS)
    except OSError as error:  # a full disk, a folder that may not be written to
        _fail(f"{error.strerror or error}{f': `{error.filename}`' if error.filename else ''}", EXIT_SURROUNDINGS)
    sys.exit(result if isinstance(result, int) else 0)


def exit_code(error: ArgosyError) -> int:
    """2 for wrong usage or project, 1 for what was examined, 3 for engine, network, registry and scanner."""
    if isinstance(error, UsageError):
        return EXIT_USAGE
    return EXIT_SURROUNDINGS if isinstance(error, _SURROUNDINGS) else EXIT_EXAMINED_FAILED


def _fail(text: str, code: int) -> None:
    sys.stderr.write(f"error: {text}\n")
    sys.exit(code)
