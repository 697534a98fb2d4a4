"""claw runs everything a box runs: services, cron jobs, workflows, agent jobs.

The map of the house, top floor first; a package imports only from floors below
(docs/architecture.md tells the story, pyproject.toml holds it to that):

    cli         clawctl: parser and renderers, generated from the command table
    master      clawd: the one trio process that decides and writes the store
    docgen      folds of the tables into documents and schemas
    delivery    channels: how a message leaves the house
    client      blocking client of the control socket
    config      claw.toml and jobs.d: one table of fields, loader, checker
    store       SQLite; the only SQL in the house
    secrets     values that are kept elsewhere, looked up when something is started
    commands    the command table: names, parameters, methods, roles, as data
    schedule    due times as pure functions
    supervisor  fork server and supervisors; standard library only
    wire        bytes to messages and back, without I/O
    kernel      every system call that can fail, one thin function each
    model       jobs, runs and their state machine; pure
    errors      the one tree of errors
"""

__version__ = "0.1.0"
