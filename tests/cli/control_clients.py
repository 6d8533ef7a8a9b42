#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# Clients of a VM's control socket (argv[1]) that do what lkvm's own never do.
# Prints PASS or FAIL and what for.

import json
import socket
import sys
import time

path = sys.argv[1]


def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(20)
    while True:
        try:
            s.connect(path)
            return s
        except BlockingIOError:  # more of us than the socket has room for
            time.sleep(0.01)


def ask(s, text):
    s.sendall(text)
    return json.loads(s.makefile("rb").readline())


def check(name, good):
    print("PASS" if good else "FAIL", name, flush=True)


def alive():
    with connect() as s:
        return ask(s, b'{"op":"info"}\n')["state"] == "running"


def refused(name, text, errno=22):
    with connect() as s:
        reply = ask(s, text)
        good = reply["ok"] is False and reply["errno"] == errno and reply["error"]
        check(name, good and ask(s, b'{"op":"info"}\n')["ok"])


refused("no JSON", b"stop\n")
refused("an empty line", b"\n")
refused("no object", b"[1]\n")
refused("no operation", b"{}\n")
refused("an operation that is no string", b'{"op":7}\n')
refused("an unknown operation", b'{"op":"frobnicate"}\n', 95)
refused("an unknown member", b'{"op":"info","x":1}\n')
refused("a member twice", b'{"op":"info","op":"stop"}\n')
refused("a wrong type", b'{"op":"stop","force":"yes"}\n')
refused("a number out of range", b'{"op":"nmi","cpu":-5}\n', 34)
refused("a number beyond all", b'{"op":"nmi","cpu":99999999999999999999}\n')
refused("no UTF-8", b'{"op":"\xff"}\n')
refused("a NUL", b'{"op":"info\x00"}\n')
refused("deep nesting", b"[" * 4000 + b"\n")

with connect() as s:
    reply = ask(s, b"x" * 4096)
    check("S17: a line without an end", reply["errno"] == 90)
    check("S17: and it is closed", s.recv(1) == b"")
with connect() as s:
    s.sendall(b'{"op":"in')
    s.sendall(b'fo"}\n{"op":"stat"}\n')
    f = s.makefile("rb")
    check("requests in pieces", json.loads(f.readline())["name"] == "six")
    check("and several at once", json.loads(f.readline())["ram"] == 64 << 20)
with connect() as s:
    s.sendall(b'{"op":"pause"}\n{"op":"resume"}\n')
    s.shutdown(socket.SHUT_WR)
    f = s.makefile("rb")
    replies = [json.loads(f.readline()) for _ in "12"]
    good = all(reply.get("changed") for reply in replies)
    check("half closed: all is answered %s" % ("" if good else replies), good)
    check("and then closed", f.readline() == b"")

for _ in range(200):
    s = connect()
    s.sendall(b'{"op":"dump"}\n')
    s.close()
check("10.2-10: clients that leave before the answer", alive())

stuck = connect()
stuck.settimeout(0.5)
try:
    while True:
        stuck.sendall(b'{"op":"pci"}\n' * 100)
except OSError:
    pass
check("a client that never reads", alive())

# More than there is room for: the newest are served.
many = [connect() for _ in range(100)]
check("clients that say nothing", alive())
waiting = []
for _ in range(40):
    s = connect()
    waiting.append(s)
    try:
        s.sendall(b'{"op":"wait"}\n')
    except OSError:
        pass  # there is no room, and nobody who could go
for s in waiting[20:]:
    s.close()
check("clients that wait", alive())
for s in waiting:
    s.close()
check("at the end", alive())
