"""The methods about the master itself and its configuration."""

from __future__ import annotations

from claw.commands import shapes
from claw.commands.method import ADMIN, ROLES, Method, changing, reading
from claw.commands.schema import array, boolean, choice, integer, record, string, time

GENERAL = (
    reading(
        "hello",
        "agree on a version and learn who one is here",
        record(
            {
                "protocol": array("lowest and highest version spoken", integer("a version")),
                "client": string("name and version of the client"),
                "token": string(
                    "of a run, or for events: on the socket for children, $CLAW_SOCKET;"
                    " on a forwarded control socket that of token_file"
                ),
            }
        ),
        record(
            {
                "protocol": integer("the version chosen"),
                "version": string("the master's version"),
                "role": choice("what the caller may do", *ROLES, "child", "bridge"),
                "pid": integer("the master"),
                "home": string("where its state lies"),
                "run": string("of a child: whose it is"),
            },
            is_open=True,
        ),
    ),
    reading(
        "rpc.discover",
        "list the methods with their schemas",
        record({}),
        record({"methods": array("all of them", record({}, is_open=True))}, is_open=True),
    ),
)

DAEMON = (
    changing(
        "config.reload",
        "load the configuration: all of it or nothing",
        record(
            {
                "dry_run": boolean("only say what would be done"),
                "restart": boolean("restart services whose definition changed; default true"),
            }
        ),
        shapes.PLAN,
        role=ADMIN,
    ),
    reading("daemon.status", "tell how the master is doing", record({}), shapes.DAEMON),
    reading(
        "daemon.metrics",
        "tell all figures of the daemon and its jobs, for Prometheus",
        record({}),
        record({"text": string("text 0.0.4, one line for each figure")}, ("text",)),
    ),
    reading(
        "doctor.check",
        "look for what is wrong with daemon, home and machine",
        record({}),
        shapes.LOOKED,
    ),
    changing(
        "audit.seen",
        "say that what is wrong with the audit log was seen to",
        record({"marks": array("as doctor tells them", string("one"), minItems=1)}, ("marks",)),
        record({"seen": array("what is told no more", string("one"))}, ("seen",)),
        role=ADMIN,
    ),
    Method(
        "daemon.stop",
        "end the master, with its jobs or without",
        role=ADMIN,
        params=record(
            {"mode": choice("jobs: as configured, stop, or leave", "auto", "stop", "detach")}
        ),
        is_mutating=True,
    ),
    changing(
        "daemon.restart",
        "have the program that is installed now take over in place",
        record({}),
        record(
            {
                "pid": integer("the master, before and after"),
                "version": string("of the program that is replaced"),
                "started_at": time("when that was started"),
                "backup": string("the copy of the database that was made"),
            },
            ("pid", "version", "started_at", "backup"),
            is_open=True,
        ),
        role=ADMIN,
    ),
    reading(
        "alert.list",
        "list what is worth somebody's attention",
        record({"all": boolean("also those that are over; the newest hundred")}),
        record({"alerts": array("newest first", shapes.ALERT)}, ("alerts",)),
    ),
    changing(
        "alert.ack",
        "take note of alerts",
        record(
            {"targets": array("numbers of alerts and names of jobs; none: all", string("one"))}
        ),
        record({"acked": integer("how many")}, ("acked",)),
    ),
)
