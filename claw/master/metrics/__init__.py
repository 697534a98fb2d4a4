"""What the master tells of itself and its jobs in figures; `claw.model.metrics` names them."""
