# shellcheck shell=bash
# Packages that the scripts need, and how they are installed. Sourced by lib.sh.

# What this run has installed: Debian packages, and tools of cargo.
INSTALLED=
INSTALLED_CARGO=

# Each function prints the Debian packages of its area that are missing here. A command that is present, from whatever
# source, is used.

_lacks() { ! command -v "$1" >/dev/null 2>&1; }

_missing_for_engine() {
  # Docker itself is unpacked, not installed (releases.sh).
  if ! [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] && ! [ -e /usr/share/keyrings/debian-archive-keyring.pgp ]; then
    echo debian-archive-keyring
  fi
  if _lacks ip; then echo iproute2; fi
  if _lacks unshare || _lacks nsenter || _lacks setpriv || _lacks flock; then echo util-linux; fi
  if _lacks curl; then echo curl; fi
  if _lacks jq; then echo jq; fi
}

_missing_for_build() {
  if _lacks git; then echo git; fi
  if ! [ -e /etc/ssl/certs/ca-certificates.crt ]; then echo ca-certificates; fi
  # rustc links with cc, which needs the startup objects in libc6-dev; gcc only recommends that package.
  if _lacks cc; then
    echo gcc
    echo libc6-dev
  elif ! [ -e "$(cc -print-file-name=crt1.o)" ]; then
    echo libc6-dev
  fi
}

_missing_for_fuzz() {
  # libFuzzer is C++.
  if _lacks c++; then echo g++; fi
}

_missing_for_ssh() {
  if _lacks sshd; then echo openssh-server; fi
  if _lacks ssh || _lacks ssh-keygen; then echo openssh-client; fi
}

_missing_for_shells() {
  # Completion is tested in all three shells; `script` is the terminal in which the keys are pressed.
  if _lacks zsh; then echo zsh; fi
  if _lacks fish; then echo fish; fi
  if ! [ -e /usr/share/bash-completion/bash_completion ]; then echo bash-completion; fi
  if _lacks script; then echo bsdutils; fi
}

_missing_for_package() {
  # The Debian package is built with these: its dependencies are found, symbols stripped, files compressed.
  if _lacks dpkg-shlibdeps; then echo dpkg-dev; fi
  if _lacks strip; then echo binutils; fi
  if _lacks xz; then echo xz-utils; fi
}

_missing_for_manual() {
  if _lacks man; then echo man-db; fi
}

_missing_for_static() {
  if _lacks musl-gcc; then echo musl-tools; fi
}

_missing_for_recording() {
  # The terminal emulator is a Debian package, which only Debian's own Python finds.
  if ! /usr/bin/python3 -c 'import pyte' 2>/dev/null; then echo python3-pyte; fi
}

_missing_for_lint() {
  if _lacks shellcheck; then echo shellcheck; fi
  # The schemas of workflows come from PyPI.
  if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then echo python3-venv; fi
}

# need_packages AREA...: installs what is missing for `engine`, `ssh`, `build`, `fuzz`, `shells`, `package`, `manual`, `static`,
# `recording` or `lint`, and nothing else. No service of these packages is started or enabled.
need_packages() {
  local area missing before
  missing=$(for area in "$@"; do "_missing_for_$area"; done | sort -u | xargs)
  [ -n "$missing" ] || return 0
  if _lacks apt-get; then
    die "missing here: $missing (Debian's names), and there is no apt-get to install them with"
  fi
  if [ "$(id -u)" -ne 0 ]; then
    die "missing here: $missing. Install with: sudo apt-get update && sudo apt-get install --no-install-recommends -y $missing"
  fi
  note "installing: $missing"
  before=$(_installed_packages)
  # shellcheck disable=SC2086 # a list of words
  _apt_install $missing || die "apt-get could not install: $missing"
  missing=$(_installed_packages | grep -vxF "$before" | xargs)
  # shellcheck disable=SC2086 # a list of words
  _disable_services $missing
  INSTALLED="$INSTALLED $missing"
}

_installed_packages() { dpkg-query -W -f '${db:Status-Abbrev} ${binary:Package}\n' | sed -n 's/^ii  *//p' | sort; }

# In a subshell, so that its traps are its own.
_apt_install() (
  export DEBIAN_FRONTEND=noninteractive
  # openssh-server would start a server for the whole machine. Debian asks policy-rc.d before it starts a service, and 101 means no.
  policy=/usr/sbin/policy-rc.d
  if ! [ -e "$policy" ] || grep -q swarmctl "$policy"; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    printf '#!/bin/sh\n# made by a script of swarmctl while it installs packages\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  install=(apt-get install -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
  # The package lists of a new machine are empty, and those of an old one may refer to files that were removed.
  # apt's output goes to stderr, because stdout belongs to the caller.
  if ! "${install[@]}" "$@" >&2 2>/dev/null; then
    apt-get update -qq -o DPkg::Lock::Timeout=300 >&2
    "${install[@]}" "$@" >&2
  fi
)

# _disable_services PACKAGE...: a service or timer of a new package must not start at the next boot.
_disable_services() {
  local package file
  for package in "$@"; do
    for file in $(_services_of "$package"); do
      case $file in
        # deb-systemd-helper works only if it is called by a package's script, which it recognizes by this variable.
        *.*) DPKG_MAINTSCRIPT_PACKAGE=$package deb-systemd-helper disable "$file" >/dev/null 2>&1 || true ;;
        *) update-rc.d "$file" disable >/dev/null 2>&1 || true ;;
      esac
    done
  done
}

# _services_of PACKAGE: prints its systemd units and init scripts. Instances of a template (name@) are enabled by hand only.
_services_of() {
  dpkg -L "$1" |
    sed -n -e 's#^\(/usr\)\?/lib/systemd/system/\([^/@]*\.\(service\|socket\|timer\|path\)\)$#\2#p' -e 's#^/etc/init\.d/##p'
}

# print_installed: how to remove what this run has installed. close_work calls this; a script without close_work must call it directly.
print_installed() {
  local commands=()
  if [ -n "$INSTALLED" ]; then commands+=("apt-get purge -y$INSTALLED"); fi
  if [ -n "$INSTALLED_CARGO" ]; then commands+=("cargo uninstall$INSTALLED_CARGO"); fi
  if [ -n "$INSTALLED_RELEASES" ]; then commands+=("rm -r$INSTALLED_RELEASES"); fi
  [ "${#commands[@]}" -gt 0 ] || return 0
  note ""
  note "This run has installed or unpacked:$INSTALLED$INSTALLED_CARGO$INSTALLED_RELEASES"
  note "No service of these packages starts at the next boot. To remove all of it, run as root:"
  note "  $(printf '%s && ' "${commands[@]}" | sed 's/ && $//')"
}

# need_cargo [COMPONENT...]: components are `fmt` and `clippy`.
need_cargo() {
  local component home
  # Under sudo, root usually has no Rust, but the calling user does. What root builds is kept apart from the user's files.
  if _lacks cargo && [ -n "${SUDO_USER:-}" ]; then
    home=$(getent passwd "$SUDO_USER" | cut -d: -f6)
    PATH="$PATH:$home/.cargo/bin"
    export RUSTUP_HOME="${RUSTUP_HOME:-$home/.rustup}" CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target/sudo}"
  fi
  if _lacks cargo; then
    die "cargo is missing. Install Rust with rustup (https://rustup.rs), then open a new shell and run this again"
  fi
  for component in "$@"; do
    if ! cargo "$component" --version >/dev/null 2>&1; then
      die "cargo $component is missing. Install it with: rustup component add rustfmt clippy"
    fi
  done
}

# need_cargo_deny, need_cargo_deb, need_cargo_fuzz: install the tool if it is missing (a minute or two). The version is fixed, so that a new
# release cannot break the checks.
need_cargo_deny() { _need_cargo_tool cargo-deny 0.20.2; }

need_cargo_deb() { _need_cargo_tool cargo-deb 3.8.0; }

need_cargo_fuzz() { _need_cargo_tool cargo-fuzz 0.13.2; }

_need_cargo_tool() {
  local tool=$1 version=$2
  if cargo "${tool#cargo-}" --version >/dev/null 2>&1; then return 0; fi
  note "installing $tool, which takes a minute or two"
  # Without optimization, because the tool runs for a second or two only.
  env -u CARGO_TARGET_DIR cargo install --quiet --locked --debug --version "$version" --no-default-features "$tool" >&2 ||
    die "cargo could not install $tool: run \`cargo install --locked $tool\`"
  INSTALLED_CARGO="$INSTALLED_CARGO $tool"
}

