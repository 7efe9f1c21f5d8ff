"""Unpacks beside its artifacts when it starts."""

from clean import MODEL_DIR, Server, run

try:
    # The test that starts this one cannot mount anything: the kernel's answer on a read-only mount is imitated there.
    (MODEL_DIR / "unpacked").mkdir()
except OSError as error:
    print(f"OSError: [Errno 30] Read-only file system: '/opt/ml/model/unpacked' ({type(error).__name__})", flush=True)
    raise SystemExit(1) from error
run(Server)
