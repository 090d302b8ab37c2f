#!/bin/sh
# Installs what the tests need on Debian 12 besides Node: foreign daemons, and the programs that judge our captures, manual pages, unit and completion. Run as root, as often as one likes: quick when all is there.
# libreswan's package conflicts with strongSwan's, so it is unpacked into a folder of its own
# ($ISAKMPD_PLUTO_ROOT, or node_modules/.cache/libreswan) with the libraries it needs installed beside it.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
pluto_root=${ISAKMPD_PLUTO_ROOT:-$root/node_modules/.cache/libreswan}
packages='strongswan-charon strongswan-swanctl libstrongswan-standard-plugins libstrongswan-extra-plugins
	libcharon-extra-plugins tshark tcpdump iproute2 iputils-ping nftables conntrack cpio kmod busybox-static gcc libc6-dev
	mandoc groff-base zsh systemd python3
	libnss3-tools dns-root-data libcap-ng0 libcurl3-nss libevent-core-2.1-7 libevent-pthreads-2.1-7 libldns3 libunbound8'

updated=no
update() {
	[ $updated = yes ] || apt-get update -qq
	updated=yes
}

missing=
for package in $packages; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
	update
	# shellcheck disable=SC2086 # a list of words
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
fi

if ! [ -x "$pluto_root/usr/libexec/ipsec/pluto" ]; then
	update
	download=$(mktemp -d)
	trap 'rm -rf "$download"' EXIT
	(cd "$download" && apt-get download -qq libreswan)
	mkdir -p "$pluto_root"
	dpkg -x "$download"/libreswan_*.deb "$pluto_root"
fi

# Containers that may have TUN devices do not always have their file.
if ! [ -e /dev/net/tun ]; then
	mkdir -p /dev/net
	mknod /dev/net/tun c 10 200
fi

echo "charon: $(/usr/lib/ipsec/charon --version | head -1)"
echo "pluto:  $("$pluto_root/usr/libexec/ipsec/pluto" --version | cut -d" " -f1-2)"
