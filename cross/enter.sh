#!/bin/bash
# enter.sh ROOT TREE COMMAND…: runs COMMAND in ROOT with the folder TREE at /tree, as its working folder.
# All mounts and processes end with it. The compiler's cache is this user's own.
set -euo pipefail
root=$1 tree=$2
shift 2
cache=${CCACHE_DIR:-$HOME/.cache/ccache}
mkdir -p "$root/tree" "$root/ccache" "$cache"
export root tree cache
# shellcheck disable=SC2016
exec unshare --mount --pid --fork --kill-child bash -euc '
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount --bind "$tree" "$root/tree"
    mount --bind "$cache" "$root/ccache"
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 CCACHE_DIR=/ccache \
        CCACHE_BASEDIR=/tree CCACHE_NOHASHDIR=1 \
        chroot "$root" sh -c "cd /tree && exec \"\$@\"" sh "$@"' bash "$@"
