#!/bin/sh
# Runs the image's service in the role given as argument; the gateway renders its configuration and becomes Envoy.
# Every branch execs, so that the service itself is process 1 and hears SIGTERM.
set -eu
case $SERVICE in
    gateway)
        python -m gateway render --out /tmp/envoy.yaml
        exec python -m gateway run -c /tmp/envoy.yaml --disable-hot-restart --concurrency "${GATEWAY_CONCURRENCY:-2}"
        ;;
    sandbox) exec python -m sandbox ;;
    *) exec python -m "$SERVICE" "$@" ;;
esac
