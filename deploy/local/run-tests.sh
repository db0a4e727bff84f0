#!/bin/sh
# run-tests.sh [PYTEST ARGUMENTS] : tests on the instance `test`, which is started when it is down and stopped again.
# Without arguments it runs all: suites side by side (deploy/local/suites), the twenty slowest tests and the total last.
# SAMPAN_TEST_ALSO is a script that then runs beside them as one more suite.
set -u
unset PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX # as in the Makefile
export SAMPAN_INSTANCE=test
export XDG_CONFIG_HOME="$PWD/.local/cache/config" # where the browser that tests drive would write
python=.venv/bin/python
also=${SAMPAN_TEST_ALSO:-}
unset SAMPAN_TEST_ALSO

if [ $# = 0 ]; then
    # shellcheck disable=SC2086 -- one word or none
    PYTHONPATH=deploy/local exec "$python" -m suites $also
fi

log=.local/logs/pytest.log
stack() { PYTHONPATH=deploy/local "$python" -m stack "$@"; }
ran_before=
if stack pid postgres >/dev/null 2>&1; then ran_before=yes; fi
finish() { [ -n "$ran_before" ] || stack down >/dev/null 2>&1; }
trap finish EXIT
trap 'exit 130' INT TERM HUP

stack up --only infra || exit 1
color=auto
if [ -t 1 ]; then color=yes; fi
{ "$python" -m pytest --color="$color" "$@"; echo $? >"$log.code"; } 2>&1 | tee "$log"
exit "$(cat "$log.code")"
