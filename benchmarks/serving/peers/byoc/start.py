"""Starts nginx and gunicorn as the sample's `serve` script does, and ends when either ends."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

HERE, SCRATCH, PORT = Path(__file__).parent, Path(os.environ["SCRATCH"]), os.environ["PORT"]
CONF = """\
worker_processes 1;
daemon off;
pid {scratch}/nginx.pid;
error_log {scratch}/nginx.error.log;
events {{ worker_connections 4096; }}
http {{
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  access_log off;
  client_body_temp_path {scratch}/body;
  proxy_temp_path {scratch}/proxy;
  upstream gunicorn {{ server unix:{scratch}/gunicorn.sock; }}
  server {{
    listen 127.0.0.1:{port} deferred;
    client_max_body_size 10m;
    keepalive_timeout 60;
    keepalive_requests 1000000000;
    location ~ ^/(ping|invocations) {{
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header Host $http_host;
      proxy_redirect off;
      proxy_pass http://gunicorn;
    }}
    location / {{ return 404 "{{}}"; }}
  }}
}}
"""


def main() -> int:
    """Both, until one ends."""
    (SCRATCH / "nginx.conf").write_text(CONF.format(scratch=SCRATCH, port=PORT))
    nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin") or "nginx"
    gunicorn = [str(Path(sys.executable).parent / "gunicorn"), "--timeout", "60", "-k", "gevent", "-w", "1"]
    gunicorn += ["-b", f"unix:{SCRATCH}/gunicorn.sock", "--chdir", str(HERE), "server:app"]
    started = [subprocess.Popen(gunicorn), subprocess.Popen([nginx, "-c", str(SCRATCH / "nginx.conf")])]

    def end(*_: object) -> None:
        for process in started:
            process.terminate()

    signal.signal(signal.SIGTERM, end)
    os.wait()
    end()
    return max(process.wait() for process in started)


if __name__ == "__main__":
    sys.exit(main())
