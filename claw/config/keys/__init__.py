"""The keys of a job in groups: parts of the table that `claw.config.fields` puts together."""
