#!/bin/sh
# with-env.sh FILE COMMAND… : run COMMAND with the variables of FILE. It execs, so the pid is the command's own.
set -eu
set -a
. "$1"
set +a
shift
exec "$@"
