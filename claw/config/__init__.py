"""claw.toml, jobs.d and managed.toml: one table of fields, and the folds over it.

`fields` says what keys there are; `load` reads files into a `claw.model.job.Config`;
`schema` and `claw.docgen` print the table for editors and people; `plan` compares two
configurations by value. Nothing in here starts, stops or remembers anything.
"""
