#!/bin/sh
# Makes a stand-in for the image node:26-bookworm-slim, for a machine that reaches Debian's mirror and npm but no image registry.
# Needs root, docker, debootstrap and npm. Usage: docker/base-image.sh [NAME]
set -eu

image=${1:-node:26-bookworm-slim}
node_major=26
# Without DEBIAN_MIRROR debootstrap takes its own default.
mirror=${DEBIAN_MIRROR:-}
ca_bundle=/etc/ssl/certs/ca-certificates.crt

case $(uname -m) in
  x86_64) arch=x64 ;;
  aarch64) arch=arm64 ;;
  *) echo "base-image: no Node package for $(uname -m)" >&2; exit 1 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rootfs=$work/rootfs

echo "base-image: Debian bookworm from ${mirror:-the default mirror}" >&2
debootstrap --variant=minbase --include=ca-certificates,libatomic1 bookworm "$rootfs" ${mirror:+"$mirror"} >"$work/log" 2>&1 || { tail -20 "$work/log" >&2; exit 1; }
rm -rf "$rootfs"/var/cache/apt/archives/*.deb "$rootfs"/var/lib/apt/lists/* "$rootfs"/usr/share/doc/* "$rootfs"/usr/share/man/*

echo "base-image: Node $node_major and npm" >&2
cd "$work"
npm pack --silent "node-linux-$arch@$node_major" npm@11 >/dev/null
mkdir -p node npm "$rootfs/usr/local/lib/node_modules"
tar -xzf node-linux-*.tgz -C node --strip-components=1
tar -xzf npm-*.tgz -C npm --strip-components=1
cp node/bin/node "$rootfs/usr/local/bin/node"
cp -r npm "$rootfs/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$rootfs/usr/local/bin/npm"
chmod +x "$rootfs/usr/local/bin/node" "$rootfs/usr/local/lib/node_modules/npm/bin/npm-cli.js"
# What this machine trusts, for registries behind a company's own certificate.
cp -L "$ca_bundle" "$rootfs$ca_bundle"

tar -C "$rootfs" -c . | docker import \
  --change 'CMD ["node"]' \
  --change "ENV NODE_EXTRA_CA_CERTS=$ca_bundle" \
  --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
  - "$image"
