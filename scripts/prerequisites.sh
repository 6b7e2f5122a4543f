#!/bin/sh
# Looks for what a build needs and says which line installs what is missing, all of it at once. Shell and not xtask,
# because without cargo and a linker there is no xtask yet.
set -u
cd "$(dirname "$0")/.." || exit 1

missing=0
say() {
  missing=1
  printf '  %s\n      %s\n' "$1" "$2" >&2
}
# at_least 1.95.0 1.95: whether the first version is the second or a newer one
at_least() {
  [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

rust_needed=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
if ! command -v cargo >/dev/null 2>&1; then
  say "cargo is missing (Rust $rust_needed or newer is needed)" \
    "sudo apt-get install rustup && rustup toolchain install stable   (no such package? see Rust's own install page)"
elif ! rust=$(cargo --version 2>/dev/null); then
  say "cargo is there and cannot start: the toolchain of rust-toolchain.toml is not installed" \
    "rustup toolchain install stable --component clippy --component rustfmt"
else
  rust=$(printf '%s\n' "$rust" | cut -d ' ' -f 2)
  at_least "$rust" "$rust_needed" || say "Rust $rust is too old: $rust_needed or newer is needed" "rustup update stable"
fi

packages=""
command -v cc >/dev/null 2>&1 || packages="$packages gcc libc6-dev"
# The allocator's build calls it, even where somebody calls this script without make.
command -v make >/dev/null 2>&1 || packages="$packages make"
[ -z "$packages" ] ||
  say "a C compiler and make are needed (SQLite and the allocator are C); missing:$packages" \
    "sudo apt-get install --no-install-recommends$packages"

node_needed="Node.js 20.19 or newer, or 22.12 or newer"
node_line="sudo apt-get install --no-install-recommends nodejs npm   (Debian 12 has only 18: take Node's own package there)"
if ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
  say "node or npm is missing ($node_needed is needed)" "$node_line"
elif ! node -e '
  const [major, minor] = process.versions.node.split(".").map(Number);
  const fits = major === 20 ? minor >= 19 : major === 22 ? minor >= 12 : major > 22;
  process.exit(fits ? 0 : 1);
'; then
  say "node $(node --version) is not fit for the web app ($node_needed is needed)" "$node_line"
fi

if [ "$missing" -ne 0 ]; then
  printf 'Install what is named above, then call make again.\n' >&2
  exit 1
fi
