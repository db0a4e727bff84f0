#!/bin/sh
# run-tests.sh [PYTEST ARGUMENTS] : every test on the instance `test`. An instance that ran before is left running.
set -u
export SAMPAN_INSTANCE=test
python=.venv/bin/python
stack() { PYTHONPATH=deploy/local "$python" -m stack "$@"; }

running=
if stack pid postgres >/dev/null 2>&1; then running=yes; fi
finish() { [ -n "$running" ] || stack down >/dev/null 2>&1; }
trap finish EXIT
trap 'exit 130' INT TERM HUP

stack up --only infra || exit 1
"$python" -m pytest "$@"
