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
