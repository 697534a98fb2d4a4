"""The methods that read and follow output and events."""

from __future__ import annotations

from claw.commands import shapes
from claw.commands.method import MAX_LINES, MAX_PAGE, TARGETS, reading
from claw.commands.schema import array, boolean, choice, integer, nullable, record, string, time

_STREAM = choice("which output", "stdout", "stderr", "both")
_SUBSCRIPTION = integer("names the stream on this connection")
_LOG = record(
    {
        "subscription": _SUBSCRIPTION,
        "job": shapes.JOB_NAME,
        "run": nullable(shapes.RUN_ID),
        "stream": choice("where it was written", "stdout", "stderr"),
        "text": string("output, whole lines as far as may be"),
        "cursor": string("resume from here"),
        "at": nullable(time("when it was written, to the second, if asked for")),
        "timestamps": boolean("the job wants its lines to be shown with their times"),
        "format": choice("how the job wants its lines to be shown", "raw", "json"),
        "missed": integer("rotated files before it that were removed before they were read"),
    },
    ("subscription", "job", "text"),
    is_open=True,
)
_END = record({"subscription": _SUBSCRIPTION, "reason": string("why it is over")}, is_open=True)
_LAGGED = record(
    {"subscription": _SUBSCRIPTION, "resume_from": integer("subscribe again from here")},
    is_open=True,
)
_LAGGED_LOG = record(
    {
        "subscription": _SUBSCRIPTION,
        "resume_from": array("subscribe again with this as `from`", string("a cursor")),
    },
    is_open=True,
)
_FORGOTTEN = integer("there, when it is beyond `from`: events up to it are not kept any more")
_EVENTS_FROM = integer("what comes after this cursor; left out: from now on", minimum=0)

STREAMS = (
    reading(
        "log.read",
        "read the end of a job's or run's output",
        record(
            {
                "target": string("a job or run"),
                "lines": integer("so many lines", minimum=0, maximum=MAX_LINES),
                "stream": _STREAM,
                "mask": boolean("without secrets, whatever the job says"),
            },
            ("target",),
        ),
        record(
            {
                "text": string("the lines"),
                "source": string("where they come from"),
                "path": nullable(string("the file, when they come from one")),
                "timestamps": boolean("the job wants its lines to be shown with their times"),
                "format": choice("how the job wants its lines to be shown", "raw", "json"),
                "steps": array(
                    "of a workflow, instead: the runs that have printed something",
                    record({"step": string("the step"), "run": string("its run")}),
                ),
            },
            ("text",),
            is_open=True,
        ),
    ),
    reading(
        "log.follow",
        "read the end of some output, and then all that follows",
        record(
            {
                "targets": TARGETS,
                "lines": integer(
                    "so many lines first; left out: 10, and with a time all of that time",
                    minimum=0,
                    maximum=MAX_LINES,
                ),
                "stream": _STREAM,
                "since": time("nothing that was written before"),
                "until": time("nothing that was written after"),
                "times": boolean("say when each piece was written"),
                "stop": boolean("end with what is there now"),
                "from": array(
                    "cursors of `log` notifications, to go on where they ended",
                    string("a cursor"),
                ),
            },
            ("targets",),
        ),
        record({"subscription": _SUBSCRIPTION}, ("subscription",), is_open=True),
        log=_LOG,
        lagged=_LAGGED_LOG,
        end=_END,
    ),
    reading(
        "event.subscribe",
        "receive events, from a cursor on and then live",
        record({"from": _EVENTS_FROM, "filter": shapes.EVENT_FILTER}),
        record(
            {
                "subscription": _SUBSCRIPTION,
                "cursor": integer("the last event before the stream begins"),
                "forgotten_through": _FORGOTTEN,
            },
            ("subscription", "cursor"),
            is_open=True,
        ),
        event=record({"subscription": _SUBSCRIPTION, **shapes.EVENT}, is_open=True),
        lagged=_LAGGED,
        end=_END,
    ),
    reading(
        "event.unsubscribe",
        "end a stream",
        record({"subscription": _SUBSCRIPTION}, ("subscription",)),
        record({}, is_open=True),
    ),
    reading(
        "event.list",
        "read stored events",
        record(
            {
                "from": integer("what comes after this cursor", minimum=0),
                "limit": integer("at most so many", minimum=1, maximum=MAX_PAGE),
                "filter": shapes.EVENT_FILTER,
            }
        ),
        record(
            {
                "events": array("oldest first", record(shapes.EVENT, is_open=True)),
                "next": nullable(integer("ask again from here; null: no more")),
                "forgotten_through": _FORGOTTEN,
            },
            ("events", "next"),
        ),
    ),
)
