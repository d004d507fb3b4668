"""`run.py test`: all tests, or those that pytest's arguments pick."""

import argparse
import os
import sys

from config import PROJECT_DIR, Settings

WHOLE = ("-n", "2", "--no-loadscope-reorder")
"""Which process gets which tests, tests/conftest.py says."""


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Become pytest, in the project's folder. The whole is run by two processes, a file of tests in one of them; what
    is asked for by arguments by one, so that a debugger and ``-x`` work as one knows them."""
    os.chdir(PROJECT_DIR)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *(arguments.rest or WHOLE)])
