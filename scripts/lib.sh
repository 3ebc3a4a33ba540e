# shellcheck shell=bash
# shellcheck disable=SC2034 # ENGINE_SOCKET is for the scripts that source this
# What the scripts beside this file share. To be sourced, by bash only.

# Root's PATH lacks the sbin folders in some shells (cron, plain `su`), and cargo's
# folder under sudo. Programs found here are as good as any.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin"
export PATH

note() { printf '%s\n' "$*" >&2; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# refuse MESSAGE: ends with 2, for an invalid command line. Each script has a function `usage`, whose first paragraph is printed.
refuse() {
  printf 'error: %s\n' "$*" >&2
  usage | sed '/^$/q' >&2
  exit 2
}

# wants_help [ARGUMENT...]: whether --help or -h is one of them, before a `--`.
wants_help() {
  local argument
  for argument in "$@"; do
    case $argument in
      -h | --help) return 0 ;;
      --) return 1 ;;
    esac
  done
  return 1
}

# shellcheck source=scripts/releases.sh
. "${BASH_SOURCE[0]%/*}/releases.sh"

# ---------------------------------------------------------------------------
# Packages

# Each function prints the Debian packages of its area that are missing here. A command
# that is there, of whatever origin, is taken as it is.

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
  # rustc links through cc, and that needs the start-up objects of libc, which gcc only recommends.
  if _lacks cc; then
    echo gcc
    echo libc6-dev
  elif ! [ -e "$(cc -print-file-name=crt1.o)" ]; then
    echo libc6-dev
  fi
}

_missing_for_ssh() {
  if _lacks sshd; then echo openssh-server; fi
  if _lacks ssh || _lacks ssh-keygen; then echo openssh-client; fi
}

_missing_for_shells() {
  # Completion is tried in all three; `script` is the terminal that the keys are pressed in.
  if _lacks zsh; then echo zsh; fi
  if _lacks fish; then echo fish; fi
  if ! [ -e /usr/share/bash-completion/bash_completion ]; then echo bash-completion; fi
  if _lacks script; then echo bsdutils; fi
}

_missing_for_package() {
  # A Debian package is made from them (what it depends on, without symbols, compressed).
  if _lacks dpkg-shlibdeps; then echo dpkg-dev; fi
  if _lacks strip; then echo binutils; fi
  if _lacks xz; then echo xz-utils; fi
}

_missing_for_manual() {
  if _lacks man; then echo man-db; fi
}

_missing_for_recording() {
  # Debian's own Python, so that Debian's package of the terminal emulator is known to it.
  if ! /usr/bin/python3 -c 'import pyte' 2>/dev/null; then echo python3-pyte; fi
}

_missing_for_lint() {
  if _lacks shellcheck; then echo shellcheck; fi
}

# need_packages AREA...: installs what is missing for `engine`, `ssh`, `build`, `shells`, `package`, `manual`,
# `recording` or `lint`, and nothing else.
need_packages() {
  local area missing
  missing=$(for area in "$@"; do "_missing_for_$area"; done | sort -u | xargs)
  [ -n "$missing" ] || return 0
  if _lacks apt-get; then
    die "missing here: $missing (Debian's names), and there is no apt-get to install them with"
  fi
  if [ "$(id -u)" -ne 0 ]; then
    die "missing here: $missing. Install with: sudo apt-get update && sudo apt-get install --no-install-recommends -y $missing"
  fi
  note "installing: $missing"
  # shellcheck disable=SC2086 # a list of words
  _apt_install $missing || die "apt-get could not install: $missing"
}

# In a subshell, so that its traps are its own.
_apt_install() (
  export DEBIAN_FRONTEND=noninteractive
  # docker.io would start an engine for the whole machine, in the host's network, and nobody asked for
  # that. Debian asks policy-rc.d before it starts a service; 101 means "no".
  policy=/usr/sbin/policy-rc.d
  if ! [ -e "$policy" ] || grep -q swarmctl "$policy"; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    printf '#!/bin/sh\n# put here by a script of swarmctl while it installs packages\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  install=(apt-get install -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
  # The package lists of a new machine are empty, and those of an old one may name files that are gone.
  # apt's words go to stderr: stdout belongs to whoever called.
  if ! "${install[@]}" "$@" >&2 2>/dev/null; then
    apt-get update -qq -o DPkg::Lock::Timeout=300 >&2
    "${install[@]}" "$@" >&2
  fi
)

# need_cargo [COMPONENT...]: components are `fmt` and `clippy`.
need_cargo() {
  local component home
  # Under sudo, root mostly has no Rust, but whoever called has. What root builds stays apart from their own files.
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

# need_cargo_deny, need_cargo_deb: install it (a minute or two) where it is missing; the version is fixed, so that a new one breaks nothing.
need_cargo_deny() { _need_cargo_tool cargo-deny 0.20.2; }

need_cargo_deb() { _need_cargo_tool cargo-deb 3.8.0; }

_need_cargo_tool() {
  local tool=$1 version=$2
  if cargo "${tool#cargo-}" --version >/dev/null 2>&1; then return 0; fi
  note "installing $tool, which takes a minute or two"
  # Without optimization: it runs for a second or two.
  env -u CARGO_TARGET_DIR cargo install --quiet --locked --debug --version "$version" --no-default-features "$tool" >&2 ||
    die "cargo could not install $tool: run \`cargo install --locked $tool\`"
}

need_root() {
  [ "$(id -u)" -eq 0 ] || die "a private engine needs root: run \`sudo $*\`"
}

# ---------------------------------------------------------------------------
# A script that leaves nothing behind

# For whoever changes this: bash 5.2 runs a trap wrongly ("unexpected EOF while looking for matching `)'") if the
# signal comes during the first of several command substitutions in one command. So there is one at most.

# open_work: makes a folder, $WORK, and sees to it that however this script ends, all that it started ends too: the command
# that `tended` runs, the engine, the folder. Then `closing STATUS` is called, if the script has such a function.
open_work() {
  local parent=${TMPDIR:-/tmp}
  # The path of a unix socket holds 107 bytes at most.
  if [ "${#parent}" -gt 60 ]; then parent=/tmp; fi
  WORK=$(mktemp -d "$parent/swarmctl.XXXXXX")
  trap close_work EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  trap 'exit 129' HUP
  # Standard output into `head`: say so by the exit status, not by dying half way through.
  trap 'exit 141' PIPE
}

close_work() {
  local status=$? left
  trap - EXIT
  trap '' INT TERM HUP PIPE
  _end_tended
  if ! stop_engine && [ "$status" -eq 0 ]; then status=1; fi
  left=$(engine_leftovers)
  rm -rf "$WORK"
  if [ -n "$left" ]; then
    note "error: the private engine has left something behind:"
    note "$left"
    if [ "$status" -eq 0 ]; then status=1; fi
  fi
  if declare -F closing >/dev/null; then closing "$status"; fi
  exit "$status"
}

# tended COMMAND...: runs it so that a signal to this script ends it at once, with all that it has started. (bash would let
# a foreground command finish first.) The command has a process group of its own, and no stdin.
TENDED=
tended() {
  local status=0
  set -m
  "$@" </dev/null &
  TENDED=$!
  set +m
  wait "$TENDED" || status=$?
  TENDED=
  return "$status"
}

_end_tended() {
  local group=$TENDED try
  [ -n "$group" ] || return 0
  kill -TERM -- "-$group" 2>/dev/null || return 0
  for try in {1..50}; do
    kill -0 -- "-$group" 2>/dev/null || return 0
    sleep 0.1
  done
  : "$try"
  kill -KILL -- "-$group" 2>/dev/null || true
}

# ---------------------------------------------------------------------------
# A private engine for the script that sourced this

# start_engine [OPTION...]: runs scripts/engine beside this shell, in $WORK/e, and returns when it is ready. It ends at the
# latest when this shell does, however that ends: the pipe to its stdin closes then.
# Sets ENGINE_SOCKET and ENGINE_NETNS_PID.
ENGINE_SUPERVISOR=
ENGINE_DIR=
start_engine() {
  local line=
  ENGINE_DIR=$WORK/e
  coproc ENGINE { exec bash "${BASH_SOURCE[0]%/*}/engine" run "$ENGINE_DIR" "$@"; }
  # bash forgets these as soon as the coprocess has ended.
  # shellcheck disable=SC2153 # coproc sets it
  ENGINE_SUPERVISOR=${ENGINE_PID:-} ENGINE_STDIN=${ENGINE[1]:-}
  IFS= read -r line <&"${ENGINE[0]}" || true
  if [ "${line%% *}" != ready ]; then
    # Its log went with its folder, and its reasons are on the screen.
    die "the private engine did not start"
  fi
  ENGINE_SOCKET=${line#ready }
  ENGINE_NETNS_PID=$(<"$ENGINE_DIR/netns.pid")
  ENGINE_NETNS=$(readlink "/proc/$ENGINE_NETNS_PID/ns/net")
}

# stop_engine: ends what start_engine started and waits for it. Its status is the supervisor's.
stop_engine() {
  local status=0
  [ -n "$ENGINE_SUPERVISOR" ] || return 0
  exec {ENGINE_STDIN}>&-
  wait "$ENGINE_SUPERVISOR" || status=$?
  ENGINE_SUPERVISOR=
  return "$status"
}

# engine_leftovers: prints what is left of the engine that start_engine had started; nothing is right.
engine_leftovers() {
  local link
  [ -n "${ENGINE_NETNS:-}" ] || return 0
  for link in /proc/[0-9]*/ns/net; do
    if [ "$(readlink "$link" 2>/dev/null)" = "$ENGINE_NETNS" ]; then
      link=${link#/proc/}
      echo "process ${link%%/*} in the engine's network namespace"
    fi
  done
  awk -v dir="$ENGINE_DIR" 'index($5 "/", dir "/") == 1 { print "mount " $5 }' /proc/self/mountinfo
  find "$ENGINE_DIR" 2>/dev/null | sed 's/^/file /'
  find /sys/fs/cgroup -maxdepth 2 -type d -name "$(engine_cgroup "$ENGINE_DIR")" 2>/dev/null | sed 's/^/cgroup /'
}

# engine_api SOCKET METHOD PATH [CURL OPTION...]: prints the answer; one that is no 2xx ends the script.
engine_api() {
  local socket=$1 method=$2 path=$3 answer status
  shift 3
  answer=$(curl -sS --max-time 60 --unix-socket "$socket" -X "$method" -w '\n%{http_code}' "$@" "http://engine$path") ||
    die "the engine did not answer $method $path"
  status=${answer##*$'\n'}
  case $status in
    2*) printf '%s\n' "${answer%$'\n'*}" ;;
    *) die "the engine answered $method $path with $status: ${answer%$'\n'*}" ;;
  esac
}

# start_time PID: in ticks since boot. It tells a process from a later one with the same ID.
start_time() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  # The name before it, in parentheses, may hold anything.
  stat=${stat##*) }
  # shellcheck disable=SC2086 # a list of words
  set -- $stat
  echo "${20}"
}

# children PID
children() { grep -ls "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status | cut -d/ -f3; }

# engine_cgroup DIR: the name below which the containers of the engine in DIR have their cgroups.
engine_cgroup() {
  local sum
  sum=$(printf %s "$1" | sha256sum)
  printf 'swarmctl-%s\n' "${sum:0:12}"
}
