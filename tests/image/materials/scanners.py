"""Stand-ins for scanners, which answer in the forms that trivy and grype are documented to answer in."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def stand_in(folder: Path, name: str, answers: Mapping[str, str]) -> Path:
    """Put a program into a folder that runs a shell command for its first argument; returns the folder.

    Args:
        folder: Made.
        name: The program's.
        answers: A pattern of the shell for the first argument -> the command. `$@` is all that it was called with.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cases = "\n".join(f"{pattern}) {command} ;;" for pattern, command in answers.items())
    program = folder / name
    program.write_text(f'#!/bin/sh\nPATH=/usr/bin:/bin\ncase "$1" in\n{cases}\n*) exit 64 ;;\nesac\n')
    program.chmod(0o755)
    return folder


def saying(value: object) -> str:
    """A command that writes JSON to stdout."""
    return f"printf '%s' {shlex.quote(json.dumps(value))}"


def trivy_report(severities: Sequence[str], kind: str = "os-pkgs") -> dict[str, Any]:
    """A report as `trivy image --format json` writes it; without findings the key is not there."""
    result: dict[str, Any] = {"Target": "image (debian 12.12)", "Class": kind, "Type": "debian"}
    if severities:
        result["Vulnerabilities"] = [
            {
                "VulnerabilityID": f"CVE-2025-{number:04}",
                "PkgName": "zlib1g",
                "InstalledVersion": "1:1.2.13.dfsg-1",
                "Status": "affected",
                "Severity": severity,
            }
            for number, severity in enumerate(severities)
        ]
    metadata = {"OS": {"Family": "debian", "Name": "12.12"}}
    return {
        "SchemaVersion": 2,
        "CreatedAt": "2026-11-20T10:00:00.000000000Z",
        "ArtifactName": "image",
        "ArtifactType": "container_image",
        "Metadata": metadata,
        "Results": [result],
    }


TRIVY_VERSION = {
    "Version": "0.58.1",
    "VulnerabilityDB": {
        "Version": 2,
        "NextUpdate": "2026-11-21T06:00:00Z",
        "UpdatedAt": "2026-11-20T06:00:00Z",
        "DownloadedAt": "2026-11-20T09:00:00Z",
    },
}


def trivy_answers(severities: Sequence[str]) -> dict[str, str]:
    """A trivy that works."""
    return {"image": saying(trivy_report(severities)), "version": saying(TRIVY_VERSION)}


GRYPE_STATUS: Mapping[str, object] = {
    "schemaVersion": "v6.0.2",
    "from": "https://grype.anchore.io/databases/v6/db.tar.zst",
    "built": "2026-11-20T04:00:00Z",
    "path": "/root/.cache/grype/db/6/vulnerability.db",
    "valid": True,
}
GRYPE_DATABASE = {
    "status": GRYPE_STATUS,
    "providers": {"debian": {"captured": "2026-11-20T00:00:00Z", "input": "xxh64:00"}},
}


def grype_report(severities: Sequence[str], db: object = GRYPE_DATABASE) -> dict[str, Any]:
    """A report as `grype --output json` writes it."""
    return {
        "matches": [
            {
                "vulnerability": {"id": f"CVE-2025-{number:04}", "severity": severity, "fix": {"state": "fixed"}},
                "relatedVulnerabilities": [],
                "matchDetails": [],
                "artifact": {"name": "zlib1g", "version": "1:1.2.13.dfsg-1", "type": "deb"},
            }
            for number, severity in enumerate(severities)
        ],
        "source": {"type": "image", "target": {"userInput": "image"}},
        "distro": {"name": "debian", "version": "12", "idLike": []},
        "descriptor": {"name": "grype", "version": "0.104.0", "configuration": {}, "db": db},
    }
