"""How gunicorn serves the console (`gunicorn --config python:app.command_line.gunicorn_settings`).

Nothing is loaded before the workers are forked: a process forked after Polars has run hangs.
"""

import os

from app.lifeline import end_with_parent
from config import Settings

settings = Settings.from_environment()

bind = f"[{settings.host}]:{settings.port}" if ":" in settings.host else f"{settings.host}:{settings.port}"
wsgi_app = "app.command_line.web:application"
worker_class = "gthread"
workers = settings.web_workers
threads = settings.web_threads
preload_app = False
timeout = 120
graceful_timeout = 3
keepalive = 5
control_socket_disable = True
proc_name = "beacon-web"
loglevel = "warning"
errorlog = "-"
accesslog = None
# Heartbeat files on a busy disk can stall a worker; memory cannot.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") and os.access("/dev/shm", os.W_OK) else None


def post_fork(arbiter, worker):
    end_with_parent(arbiter.pid)
