"""`run.py test`: all tests, or those that pytest's arguments pick."""

import argparse
import os
import sys

from config import PROJECT_DIR, Settings


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Become pytest, in the project's folder."""
    os.chdir(PROJECT_DIR)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments.rest])
