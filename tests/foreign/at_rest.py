"""Images with one thing wrong that is seen before they run, or that keeps them from running."""

import tarfile
from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

from argosy.image.image import OCI_LAYER_GZIP, OCI_MANIFEST
from tests.foreign.mutation import Mutant, crlf, edit, for_arm, gone, mode, written

_WEIGHTS: Final = b"0.125\n0.5 -0.25 2.0 1.0\n"
_TINI: Final = '#!/bin/sh\n[ "$1" = -- ] && shift\nexec "$@"\n'


def _as_oci(manifest: dict[str, Any]) -> dict[str, Any]:
    layers = [{**layer, "mediaType": OCI_LAYER_GZIP} for layer in manifest["layers"]]
    return {**manifest, "mediaType": OCI_MANIFEST, "layers": layers}


def _with_top_folder(archive: tarfile.TarFile) -> None:
    folder = tarfile.TarInfo("model")
    folder.type, folder.mode = tarfile.DIRTYPE, 0o755
    archive.addfile(folder)
    _add(archive, "model/weights.txt", _WEIGHTS)


def _with_link(archive: tarfile.TarFile) -> None:
    _add(archive, "blobs/weights", _WEIGHTS)
    link = tarfile.TarInfo("weights.txt")
    link.type, link.linkname = tarfile.SYMTYPE, "blobs/weights"
    archive.addfile(link)


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, BytesIO(content))


MUTANTS: Final[Mapping[str, Mutant]] = {
    "F01 an OCI manifest": Mutant("c", "image-manifest", "F01 I01", manifest=_as_oci, is_inert=True),
    "F01 an index": Mutant("c", "image-manifest", "F01 I02", index=b"{}", is_inert=True),
    "F02 arm64": Mutant("c", "image-platform", "F02 C03", config={"architecture": "arm64"}, is_inert=True),
    "F02 arm64, programs and all": Mutant(
        "c", "image-platform", "F02 C03", {"usr/local/bin/serve": for_arm}, config={"architecture": "arm64"}
    ),
    "F02 a program for ARM": Mutant("c", "image-serve", "F02 C03", {"usr/local/bin/serve": for_arm}),
    "F02 a script without its first line": Mutant(
        "fastapi", "image-serve", "F02 C02", {"app/serve": edit(("#!/bin/sh\n", ""))}
    ),
    "F02 a script from Windows": Mutant("fastapi", "image-serve", "F02 C02", {"app/serve": crlf}),
    "F03 no serve": Mutant("nginx-flask", "image-serve", "F03 C01", {"opt/program/serve": gone}),
    "F03 serve is not executable": Mutant("nginx-flask", "image-serve", "F03 C02", {"opt/program/serve": mode(0o644)}),
    "F03 serve is not on PATH": Mutant(
        "nginx-flask", "image-serve", "F03 C01", runtime={"Env": ["PATH=/opt/venv/bin:/usr/sbin:/usr/bin:/bin"]}
    ),
    "F13 an archive with links": Mutant("c", "model-archive", "F13 A02", archive=_with_link),
    "F14 an archive with a folder around it": Mutant(
        "c", "start-port", "F14 A03", archive=_with_top_folder, also=frozenset({"model-archive-root"})
    ),
    "C02 a library is missing": Mutant(
        "node", "image-libraries", "F04 C02", {"usr/lib/x86_64-linux-gnu/libuv.so.1": gone}
    ),
    "C13 the shell form": Mutant(
        "node", "image-exec-form", "C13", runtime={"Entrypoint": ["/bin/sh", "-c", "node /srv/server.js"]}
    ),
    "C14 tini": Mutant(
        "node",
        "image-init",
        "C14",
        {"usr/bin/tini": written(_TINI, 0o755)},
        runtime={"Entrypoint": ["/usr/bin/tini", "--", "node", "/srv/server.js"]},
    ),
    "C15 a user": Mutant("node", "image-root", "C15", runtime={"User": "nobody"}),
    "C16 a driver": Mutant(
        "c", "image-gpu-driver", "C16", {"usr/lib/x86_64-linux-gnu/libcuda.so.1": written("driver")}, is_inert=True
    ),
    "N05 a key": Mutant(
        "c", "image-secrets", "N05", {"app/settings.ini": written("key = AKIAIOSFODNN7EXAMPLE\n")}, is_inert=True
    ),
}

NOT_OF_AN_IMAGE: Final[Mapping[str, str]] = {
    "F09": "60 s of one request: what a model needs for it is known only with samples, on its instance",
    "F12": "the size of an archive: tests/conformance/test_image_mutations.py has sizes without the bytes",
    "F15": "the account of the registry: a project's and AWS's checks",
    "F16": "the scan of the registry: AWS's checks",
    "F17": "vulnerabilities: what a scanner says of an image; tests/conformance/test_image_mutations.py has an image"
    " that no scanner knows",
    "F18": "the model package: a project's checks",
    "F19": "the role that Marketplace assumes: AWS's checks",
    "F20": "the role of the validation: a project's checks",
    "F21": "the prices: a project's checks",
    "F22": "the listing: a project's checks",
    "F23": "the buyer's subscription",
    "F24": "the region of an ARN: a project's checks",
    "F26": "the buyer's model: network isolation is how every container here is run",
    "F27": "the buyer's quotas",
    "F28": "the host's driver",
    "F29": "a transform job whose other records are kept: the simulator's",
    "F30": "the seller's notebook",
    "F31": "the client's retries",
}
"""The known failures that no image here has, and why; the others have a mutant."""
