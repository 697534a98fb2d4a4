"""Due times as pure functions: an expression, a zone and an instant in, instants out.

`claw.schedule.fires` is the face that others use; its docstring has the rules.
"""
