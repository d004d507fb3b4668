"""A supervisor of small programs, for the tests: `small_installation.py FOLDER NAME…` writes each process's number into
FOLDER. Names: `steady`, `family` (forks a child in the same session and one in another), `stubborn` (ignores SIGTERM),
`dying` (ends after a moment), `server` (stopped last)."""

import sys
from pathlib import Path

from app.command_line.processes import Process, Supervisor, say

NOTE = "import os, sys; open(sys.argv[1] + '/' + sys.argv[2] + '.' + str(os.getpid()), 'w').close(); "
SLEEP = "import time; time.sleep(600)"
PROGRAMS = {
    "steady": NOTE + SLEEP,
    "server": NOTE + "import signal; signal.signal(signal.SIGTERM, lambda *_: (print('asked'), sys.exit())); " + SLEEP,
    "family": "import subprocess, sys; "
    f"[subprocess.Popen([sys.executable, '-c', {NOTE + SLEEP!r}, sys.argv[1], name], start_new_session=own) "
    "for name, own in (('child', False), ('stray', True))]; " + NOTE + SLEEP,
    "stubborn": "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + NOTE + SLEEP,
    "dying": NOTE + "print('out of luck', file=sys.stderr); time = __import__('time'); time.sleep(0.2); sys.exit(3)",
}


def main(folder: str, names: list[str]) -> None:
    supervisor = Supervisor(Path(folder, "logs"), say)
    for name in names:
        arguments = (sys.executable, "-c", PROGRAMS[name], folder, name)
        supervisor.start(Process(name, name, arguments, stops_within=2.0, serves_others=name == "server"))
    say("开始", "begun")
    supervisor.run()
    say(*supervisor.stop_reason)
    supervisor.stop()
    say("结束", "ended")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
