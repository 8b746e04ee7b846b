#!/bin/bash
# mkbootroot.sh ARCH FOLDER PACKAGE.deb…: a Debian root that boots, with all that the packages depend on.
# The packages themselves are not installed. Needs root and mmdebstrap; about a minute, 300 MB.
# One of a foreign ARCH is for qemu-system: with a kernel, a network and qemu's agent; 4 minutes, 600 MB.
set -euo pipefail
arch=$1 folder=$2
shift 2
here=$(dirname "$(readlink -f "$0")")

include=adduser,bash-completion,dbus,python3,systemd,systemd-sysv
for package in "$@"; do
    for name in $(dpkg-deb -f "$package" Depends | tr , '\n' | sed 's/[(|].*//'); do
        case $name in smart-gateway*) ;; *) include+=,$name ;; esac
    done
done

sources=$(mktemp --suffix=.sources) emulated=/proc/sys/fs/binfmt_misc registered=
tidy() {
    rm -rf --one-file-system "$sources" "$folder.new"
    [ -z "$registered" ] || { echo -1 >"$registered" && umount $emulated; }
}
trap tidy EXIT
"$here/sources.sh" "$arch" >"$sources"
rm -rf --one-file-system "$folder.new"  # a cut run leaves mounts of /dev/shm and others

options=()
if [ "$arch" = "$(dpkg --print-architecture)" ]; then
    include+=,mosquitto
else
    include+=,iproute2,linux-image-cloud-$arch,qemu-guest-agent,udev
    # shellcheck disable=SC2016
    options=(
        # Only what finds the disk: a ramdisk of all modules takes half an hour here.
        --essential-hook='cd "$1" && mkdir -p etc/initramfs-tools/conf.d usr/share/initramfs-tools/modules.d
            echo MODULES=list >etc/initramfs-tools/conf.d/guest
            printf "%s\n" virtio_mmio virtio_blk ext4 >usr/share/initramfs-tools/modules.d/guest'
        # The address that qemu gives to its only guest.
        --customize-hook='printf "[Match]\nType=ether\n[Network]\nAddress=10.0.2.15/24\n" \
            >"$1/etc/systemd/network/guest.network"'
        --customize-hook='systemctl --root="$1" --quiet enable systemd-networkd')
    # The kernel has to know who runs programs for ARCH. With systemd it does; else it does for this while.
    if ! arch-test "$arch" >/dev/null; then
        mount -t binfmt_misc binfmt_misc $emulated
        cat /usr/lib/binfmt.d/qemu-aarch64.conf >$emulated/register
        registered=$emulated/qemu-aarch64
    fi
fi
mmdebstrap --quiet --variant=minbase --architectures="$arch" --include="$include" "${options[@]}" \
    bookworm "$folder.new" "$sources"
mv "$folder.new" "$folder"  # whole, or not there
