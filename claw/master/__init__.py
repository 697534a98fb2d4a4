"""The master: the one trio process that decides, and the only writer of the store.

It owns no child of a user's job and no log pipe, so its death interrupts nothing.

    engine          what is decided, inside transactions
    supervision     from claims to living supervisors; adoption, links, the ticker
    control         the socket: connections, requests, notices
    handlers        what each request does
    output, views   what clients are shown of output, jobs and runs
    app             builds all of it; its docstring draws the tree of tasks
"""
