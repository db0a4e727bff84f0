#!/bin/sh
# members.sh SERVICE : the workspace members whose requirements its image holds, as arguments for `uv pip install`.
set -eu
case $1 in
    sandbox | contracts) folders="libs/kernel libs/$1" ;;
    messaging) folders="libs/kernel libs/eventing libs/chassis libs/contracts libs/operations libs/outgoing services/$1" ;;
    *) folders="libs/kernel libs/eventing libs/chassis libs/contracts libs/operations services/$1" ;;
esac
for folder in $folders; do
    printf -- '-r %s/pyproject.toml ' "$folder"
done
