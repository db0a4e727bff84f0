#!/bin/sh
# apt-install.sh PACKAGE… : install Debian packages as root without letting them start a service or make a database.
set -eu
guard=/usr/sbin/policy-rc.d
folder=/etc/postgresql-common/createcluster.d
made_guard= made_folder=
restore() {
    rm -f "$folder/sampan.conf"
    [ -z "$made_folder" ] || rmdir "$folder" 2>/dev/null || true
    [ -z "$made_guard" ] || rm -f "$guard"
}
trap restore EXIT
trap 'exit 130' INT TERM HUP
if [ ! -e "$guard" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$guard"
    chmod 755 "$guard"
    made_guard=yes
fi
if [ ! -d "$folder" ]; then
    mkdir -p "$folder"
    made_folder=yes
fi
echo 'create_main_cluster = false' >"$folder/sampan.conf"
DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l \
    apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"
