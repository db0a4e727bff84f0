#!/bin/sh
# run.sh ARCHIVE JAVA OPTION… : Java with a class archive when there is one.
set -eu
archive=$1 java=$2
shift 2
if [ -f "$archive" ]; then
    set -- "-XX:SharedArchiveFile=$archive" "$@"
fi
exec "$java" -Xshare:auto -Xlog:disable -Xlog:all=error:stderr "$@"
