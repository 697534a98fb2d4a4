-- What a short run costs.

-- Many runs of a job that end in one transaction have one waiting run of it looked at, not as
-- many: who writes the rows (`claw.store.statements`) marks it once.
DROP TRIGGER runs_left;
