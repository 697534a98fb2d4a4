"""Documents and schemas, generated from the tables that the program itself runs by.

``python -m claw.docgen write`` writes them into the source tree, ``--check`` fails when one
of them is not what would be written. `registry` lists them.
"""
