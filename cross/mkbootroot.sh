#!/bin/bash
# mkbootroot.sh ARCH FOLDER PACKAGE.deb…: a Debian root that boots, with all that the packages depend on.
# The packages themselves are not installed. Needs root and mmdebstrap; about a minute, 300 MB.
set -euo pipefail
arch=$1 folder=$2
shift 2
here=$(dirname "$(readlink -f "$0")")

include=adduser,bash-completion,dbus,mosquitto,python3,systemd,systemd-sysv
for package in "$@"; do
    for name in $(dpkg-deb -f "$package" Depends | tr , '\n' | sed 's/[(|].*//'); do
        case $name in smart-gateway*) ;; *) include+=,$name ;; esac
    done
done

sources=$(mktemp --suffix=.sources)
trap 'rm -rf "$sources" "$folder.new"' EXIT
"$here/sources.sh" "$arch" >"$sources"
rm -rf "$folder.new"
mmdebstrap --quiet --variant=minbase --architectures="$arch" --include="$include" \
    bookworm "$folder.new" "$sources"
mv "$folder.new" "$folder"  # whole, or not there
