"""argosy serve: a project on this machine, by the very server that its image runs."""

import os
import sys
from pathlib import Path

import click

from argosy.cli import environment
from argosy.cli.building import loading
from argosy.cli.output import say
from argosy.contract import PORT, SERVE_ARGUMENT, Variable
from argosy.errors import UsageError


@click.command()
@click.argument("project", default=".", type=click.Path(path_type=Path))
@click.option("--port", default=PORT, show_default=True, help="TCP port on loopback.")
def command(project: Path, port: int) -> None:
    """Serve PROJECT on 127.0.0.1 until Ctrl-C, as its image would; artifacts are read where they lie."""
    found = loading.load(project)
    if not 1 <= port <= 65_535:
        raise UsageError("`--port` is wrong", got=port, want="1 to 65535")
    variables: dict[str, str] = {
        **environment.read().variables,
        **found.server_environment(),
        **found.image.environment,
        Variable.PROGRAM_DIR: str(found.root),
        **({Variable.MODEL_DIR: str(found.artifacts_dir)} if found.artifacts_dir else {}),
        Variable.HOST: "127.0.0.1",
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "PYTHONUNBUFFERED": "1",  # as in the image
    }
    say(f"serving {found.root} on http://127.0.0.1:{port}")
    say(f"  curl http://127.0.0.1:{port}/ping")
    # This process becomes the server: one to stop, one exit code.
    os.execve(sys.executable, [sys.executable, "-P", "-m", "argosy.serving", SERVE_ARGUMENT], variables)
