"""The server's own files as a wheel, which pip installs in a Dockerfile like any other."""

import hashlib
import io
import zipfile
from base64 import urlsafe_b64encode
from typing import Final

from argosy.image.build import server_files, server_metadata

_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)


def server_wheel() -> tuple[str, bytes]:
    """The server's own files as a wheel with the console script `serve`: its file name and bytes, always the same."""
    metadata = server_metadata()
    dist_info = next(iter(metadata)).partition("/")[0]
    files = {name: file.read_bytes() for name, file in server_files()}
    files |= {name: content for name, content in metadata.items() if name.endswith("/METADATA")}
    files[f"{dist_info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: argosy\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{dist_info}/entry_points.txt"] = b"[console_scripts]\nserve = argosy.serving.main:main\n"
    record = [f"{name},sha256={_record_hash(content)},{len(content)}" for name, content in sorted(files.items())]
    files[f"{dist_info}/RECORD"] = "\n".join([*record, f"{dist_info}/RECORD,,", ""]).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, _ZIP_TIME)
            member.external_attr = 0o100644 << 16
            archive.writestr(member, files[name])
    return f"{dist_info.removesuffix('.dist-info')}-py3-none-any.whl", buffer.getvalue()


def _record_hash(content: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
