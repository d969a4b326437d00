"""Become another program that does not outlive its parent. Run as a script, never imported.

Usage: `python -I -S parented.py UID GID PARENT SIGNAL PROGRAM ARGUMENT...`

It is a script, and no `preexec_fn`, because code between fork and exec may deadlock in a program with threads;
and it is Python, read before the rights are dropped, because the unprivileged user may be unable to enter the
folder of the virtual environment. The order matters: a change of user clears the parent-death signal.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Drop to UID and GID when root, ask for SIGNAL at the death of PARENT's thread, and exec PROGRAM."""
    uid, gid, parent, signal_number = (int(argument) for argument in arguments[:4])
    program = arguments[4:]
    if os.geteuid() != uid:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            sys.exit(1)
    os.umask(0o077)
    os.execv(program[0], program)


if __name__ == "__main__":
    main(sys.argv[1:])
