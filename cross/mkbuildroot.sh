#!/bin/bash
# mkbuildroot.sh TARGET FOLDER: a Debian root in which programs and packages for TARGET are built.
# TARGET: amd64, arm64 or armhf. Needs root, mmdebstrap and arch-test; 1 to 3 minutes, up to 2 GB.
# Packages come from where this machine has its own.
set -euo pipefail
target=$1 folder=$2
here=$(dirname "$(readlink -f "$0")")

include=build-essential,ccache,cmake,debhelper,fakeroot,flatbuffers-compiler,ninja-build,pkg-config:$target,python3
include+=,mosquitto,openssl  # for the tests, of this machine's architecture
# The target's libraries are those that its packages are built with, and what the tests need.
libraries=$(sed -n '/^Build-Depends:/,/^$/s/^ \(lib[^ ,]*\).*/\1/p' "$here/../systemd/debian/control")
for library in $libraries libgmock-dev libgtest-dev libmodbus-dev libmosquitto-dev; do
    include+=,$library:$target
done
architectures=amd64
if [ "$target" != amd64 ]; then
    architectures+=,$target
    include+=,crossbuild-essential-$target,qemu-user-static
fi

sources=$(mktemp --suffix=.sources)
trap 'rm -rf --one-file-system "$sources" "$folder.new"' EXIT
"$here/sources.sh" "$target" >"$sources"
rm -rf --one-file-system "$folder.new"  # a cut run leaves mounts of /dev/shm and others
mmdebstrap --quiet --variant=minbase --architectures="$architectures" --include="$include" \
    bookworm "$folder.new" "$sources"
mv "$folder.new" "$folder"  # whole, or not there
