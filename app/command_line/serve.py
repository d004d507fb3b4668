"""`run.py`: serves the console and everything behind it until it is told to stop.

The order: hold the installation's lock, start the queue server, prepare the database, start the web server, and once a
page is served the workers and the scheduler, so that the first page does not wait for them.
"""

import argparse
import json
import os
import socket

from app.command_line import CommandFailed
from app.command_line.installation import InstallationLock, check_port, held_installation
from app.command_line.processes import Process, Supervisor, python_module, say
from app.command_line.queue_server import answers, make_way, queue_server
from config import Settings

SECONDS_TO_FIRST_PAGE = 180.0
PATIENCE_WITH_WEB = 3
"""Deaths of the web server before its first page after which the start has failed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`serve` is told everything by the environment."""


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    if settings.database_in_memory:
        raise CommandFailed(
            "DATABASE_URL 指向内存中的数据库，多个进程无法共用：请改用文件或数据库服务。",
            "DATABASE_URL names a database in memory, which processes cannot share: use a file or a database server.",
        )
    with held_installation(settings) as lock:
        check_port(settings, patience=10.0 if lock.former_was_killed else 0.0)
        supervisor = Supervisor(settings.data_dir / "logs", say)
        try:
            serve(settings, supervisor)
        finally:
            stop(supervisor, lock)
    return 0


def serve(settings: Settings, supervisor: Supervisor) -> None:
    """Bring everything up in order and look after it; returns when it is time to stop."""
    if settings.jobs_backend == "rq" and settings.redis_embedded:
        start_queue_server(settings, supervisor)
    password = prepare(supervisor)
    serves = False
    try:
        if supervisor.stop_reason is None:
            supervisor.start(web_server(settings))
            serves = wait_for_page(settings, supervisor)
    finally:
        greet(settings, password, serves)
    if serves:
        for process in background(settings):
            supervisor.start(process)
        say("按 Ctrl-C 停止", "press Ctrl-C to stop")
        supervisor.run()


def stop(supervisor: Supervisor, lock: InstallationLock) -> None:
    lock.tell_stopping()
    if supervisor.stop_reason:
        zh, en = supervisor.stop_reason
        say(f"{zh}，正在停止", f"{en}, stopping")
    supervisor.stop()
    say("已停止", "stopped")


def start_queue_server(settings: Settings, supervisor: Supervisor) -> None:
    make_way(settings)
    server = supervisor.start(queue_server(settings))
    supervisor.wait(60, lambda: answers(settings) or server.deaths > 2)
    if server.deaths > 2:
        raise CommandFailed(
            f"队列服务无法启动：{server.last_words()}（日志 {server.log}）",
            f"The queue server does not start: {server.last_words()} (log {server.log})",
        )


def prepare(supervisor: Supervisor) -> str | None:
    """Run `app.command_line.set_up`; gives the administrator's password if it has just been generated."""
    reading, writing = os.pipe()
    arguments = python_module("app.command_line.set_up", str(writing))
    status = supervisor.run_to_end(Process("set-up", "准备数据库", arguments), pass_fds=(writing,))
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    if status:
        raise CommandFailed(
            "未能备好数据库，原因见上，系统没有启动。",
            "The database could not be made ready for the reason above; nothing was started.",
        )
    return json.loads(answer)["password"] if answer else None


def web_server(settings: Settings) -> Process:
    arguments = python_module("gunicorn", "--config", "python:app.command_line.gunicorn_settings")
    return Process("web", "网页服务", arguments)


def background(settings: Settings) -> list[Process]:
    """The processes that score, keep time and do what need not be waited for."""
    worker = f"app.jobs.{settings.jobs_backend}_worker"
    return [
        Process("worker-evaluation", "评估进程", python_module(worker, "evaluation")),
        Process("worker-default", "后台任务进程", python_module(worker, "default")),
        Process("scheduler", "定时任务", python_module("app.jobs.scheduler")),
    ]


def wait_for_page(settings: Settings, supervisor: Supervisor) -> bool:
    """Wait until the sign-in page is served; gives False when told to stop meanwhile."""
    web, probe = supervisor.children["web"], PageProbe(settings)
    goes_on = supervisor.wait(SECONDS_TO_FIRST_PAGE, lambda: probe.answered() or web.deaths >= PATIENCE_WITH_WEB)
    if goes_on and probe.status is None:
        raise CommandFailed(
            f"网页服务无法启动：{web.last_words()}（日志 {web.log}）",
            f"The web server does not start: {web.last_words()} (log {web.log})",
        )
    if goes_on and probe.status >= 500:
        say(f"登录页出错（{probe.status}），日志 {web.log}", "the sign-in page fails, see the log")
    return goes_on


class PageProbe:
    """Asks for the sign-in page without ever waiting for it."""

    def __init__(self, settings: Settings) -> None:
        self.address = (settings.address.removeprefix("http://").rpartition(":")[0].strip("[]"), settings.port)
        self.connection: socket.socket | None = None
        self.status: int | None = None

    def answered(self) -> bool:
        """Whether the page has been answered, with `status`."""
        try:
            if self.connection is None:
                self.connection = socket.create_connection(self.address, timeout=1.0)
                self.connection.sendall(b"GET /login/ HTTP/1.0\r\nHost: localhost\r\n\r\n")
                self.connection.setblocking(False)
            start = self.connection.recv(64)
            if start.startswith(b"HTTP/"):
                self.status = int(start.split()[1])
                self.connection.close()
                return True
            self._forget()  # closed without an answer: the worker ended
        except BlockingIOError:
            pass
        except OSError:
            self._forget()
        return False

    def _forget(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None


def greet(settings: Settings, password: str | None, serves: bool) -> None:
    """Say where and how to sign in; a new password even when the start has failed, for it is never shown again."""
    if serves:
        say(f"Beacon 已启动：{settings.address}", "Beacon is at this address")
    if password and settings.admin_password:  # whoever set it knows it, and logs should not
        say("用户名 admin，密码为 ADMIN_PASSWORD 所设（首次登录须修改）", "user name, and whose password it is")
    elif password:
        say(f"用户名 admin，初始密码 {password}（只显示这一次，首次登录须修改）", "user name and password, shown once")
    elif serves:
        say("管理员用户名 admin", "the administrator's user name is admin")
    demonstration_users = settings.data_dir / "demo-users.csv"
    if serves and demonstration_users.exists():
        say(f"演示用户及密码见 {demonstration_users}", "demonstration users and their passwords")
