#!/bin/sh
# sources.sh ARCH: the apt sources of this machine, as far as they serve ARCH, for mmdebstrap.
# armhf comes without the security suite: its index is stale on some mirrors, and then apt takes none of
# that suite's packages, of no architecture.
if [ "$1" = armhf ]; then
    awk 'BEGIN { RS = ""; ORS = "\n\n" } !/-security/' /etc/apt/sources.list.d/debian.sources
else
    cat /etc/apt/sources.list.d/debian.sources
fi
