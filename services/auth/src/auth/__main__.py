"""``python -m auth http | relay | jobs | migrate | all | grant-role | rotate-keys | …``; ``--help`` says more."""

from __future__ import annotations

from auth.entrypoints.roles import SERVICE
from chassis.run import main

if __name__ == "__main__":
    main(SERVICE)
