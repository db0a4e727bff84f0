#!/bin/sh
# Redis in a container as it runs without Docker: a user a service, rendered from deploy/redis/users.acl.
# REDIS_USERS is a list of name=password.
set -eu
users=${REDIS_USERS_FILE:-/tmp/users.acl}
umask 077
grep -v '^#' "${REDIS_USERS_TEMPLATE:-/users.acl}" >"$users"
for user in $REDIS_USERS; do
    sed "s/@${user%%=*}@/>${user#*=}/" "$users" >"$users.new"
    mv "$users.new" "$users"
done
exec "${REDIS_SERVER:-redis-server}" --appendonly yes --save "" --databases 1024 --aclfile "$users" "$@"
