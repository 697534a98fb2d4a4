"""``clawctl top``: jobs, output, runs, dead letters and configuration on a full screen.

What is shown is a value (`screen.Screen`), changed by keys (`pressing`) and by what a thread
of its own hears from the master (`feed`), drawn by functions (`drawing`). Only `app` knows of
prompt-toolkit.
"""
