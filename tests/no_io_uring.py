"""Runs a command as a container that forbids io_uring does: `python no_io_uring.py COMMAND…`."""

import ctypes
import os
import struct
import sys

SET_NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER = 38, 22, 2  # linux/prctl.h, linux/seccomp.h
LOAD, IS, RETURN = 0x20, 0x15, 0x06  # linux/bpf_common.h: a word of the call's data; equal; the verdict
ALLOWED, REFUSED = 0x7FFF0000, 0x00050000
IO_URING_SETUP = 425  # the same number on every architecture


def forbid(errno: int) -> None:
    """From now on io_uring_setup fails with this error, in all children too."""
    steps = ((LOAD, 0, 0, 0), (IS, 0, 1, IO_URING_SETUP), (RETURN, 0, 0, REFUSED | errno), (RETURN, 0, 0, ALLOWED))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code)))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or prctl(SET_SECCOMP, FILTER, program, 0, 0):
        raise OSError(ctypes.get_errno(), "no system call can be forbidden here")


if __name__ == "__main__":
    forbid(1)
    os.execvp(sys.argv[1], sys.argv[1:])
