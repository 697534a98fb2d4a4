"""The program that searches by regular expressions; run by a bare interpreter, not imported.

Python's `re` knows no time limit, and an expression may take longer than anybody lives: so
the search is done here, by a process that can be killed. Each line in is
``{"pattern": ..., "text": ...}``, each line out ``true`` or ``false``.
"""

import json
import re
import sys


def main() -> None:
    """Answer until nobody asks any more."""
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            found = re.search(asked["pattern"], asked["text"], re.MULTILINE) is not None
        except (re.error, RecursionError):
            found = False
        print(json.dumps(found), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
