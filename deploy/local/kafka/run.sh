#!/bin/sh
# run.sh ARCHIVE JAVA OPTION… : Java with a class archive, which halves its start. The first clean stop writes it.
set -eu
archive=$1 java=$2
shift 2
if [ -f "$archive" ]; then
    share=-XX:SharedArchiveFile=$archive
else
    share=-XX:ArchiveClassesAtExit=$archive
fi
exec "$java" "$share" -Xlog:disable -Xlog:all=error:stderr "$@"
