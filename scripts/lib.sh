# shellcheck shell=bash
# shellcheck disable=SC2034 # ENGINE_SOCKET is for the scripts that source this
# Functions that the scripts in this directory share. Sourced, by bash only.

# In some shells (cron, plain `su`) root's PATH lacks the sbin directories, and under sudo it lacks cargo's directory.
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

# shellcheck source=scripts/packages.sh
. "${BASH_SOURCE[0]%/*}/packages.sh"

need_root() {
  [ "$(id -u)" -eq 0 ] || die "a private engine needs root: run \`sudo $*\`"
}

# ---------------------------------------------------------------------------
# Cleaning up

# Note for changes: bash 5.2 fails to run a trap ("unexpected EOF while looking for matching `)'") if the signal arrives
# during the first of several command substitutions in one command. So each command has at most one.

# open_work: makes the directory $WORK. When the script ends, except by SIGKILL, the engine and the command that was
# started with `tended` are stopped, and the directory is removed. Then `closing STATUS` is called, if the script has this function.
open_work() {
  local parent=${TMPDIR:-/tmp}
  # The path of a unix socket holds 107 bytes at most.
  if [ "${#parent}" -gt 60 ]; then parent=/tmp; fi
  WORK=$(mktemp -d "$parent/swarmctl.XXXXXX")
  trap close_work EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  trap 'exit 129' HUP
  # A closed stdout (`| head`) must not prevent the cleanup.
  trap 'exit 141' PIPE
}

close_work() {
  local status=$? left
  trap - EXIT
  trap '' INT TERM HUP PIPE
  _end_tended
  # SIGKILL, because they have nothing to save.
  for left in "${BACKGROUND[@]}"; do
    kill -KILL "$left" 2>/dev/null || true
    wait "$left" 2>/dev/null || true
  done
  if ! stop_engine && [ "$status" -eq 0 ]; then status=1; fi
  left=$(engine_leftovers)
  rm -rf "$WORK"
  if [ -n "$left" ]; then
    note "error: the private engine left something behind:"
    note "$left"
    if [ "$status" -eq 0 ]; then status=1; fi
  fi
  if declare -F closing >/dev/null; then closing "$status"; fi
  print_installed
  exit "$status"
}

# tended COMMAND...: runs the command so that a signal to this script ends the command immediately, with all its children.
# (bash would wait for a foreground command.) The command has a process group of its own, and no stdin.
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

# in_background COMMAND...: runs it until this script ends, in whatever way.
BACKGROUND=()
in_background() {
  setpriv --pdeathsig KILL "$@" </dev/null &
  BACKGROUND+=("$!")
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
# A private engine for a script

# start_engine [OPTION...]: runs scripts/engine in the background, in $WORK/e, and returns when it is ready. It ends when this
# shell ends, in whatever way, because the pipe to its stdin closes then. Sets ENGINE_SOCKET and ENGINE_NETNS_PID.
ENGINE_SUPERVISOR=
ENGINE_DIR=
start_engine() {
  local line=
  ENGINE_DIR=$WORK/e
  coproc ENGINE { exec bash "${BASH_SOURCE[0]%/*}/engine" run "$ENGINE_DIR" "$@"; }
  # bash unsets these variables when the coprocess ends.
  # shellcheck disable=SC2153 # coproc sets it
  ENGINE_SUPERVISOR=${ENGINE_PID:-} ENGINE_STDIN=${ENGINE[1]:-}
  IFS= read -r line <&"${ENGINE[0]}" || true
  if [ "${line%% *}" != ready ]; then
    # The reason is on the screen.
    die "the private engine did not start"
  fi
  ENGINE_SOCKET=${line#ready }
  ENGINE_NETNS_PID=$(<"$ENGINE_DIR/netns.pid")
  ENGINE_NETNS=$(readlink "/proc/$ENGINE_NETNS_PID/ns/net")
}

# stop_engine: stops the engine and waits for it. Returns the supervisor's exit status.
stop_engine() {
  local status=0
  [ -n "$ENGINE_SUPERVISOR" ] || return 0
  exec {ENGINE_STDIN}>&-
  wait "$ENGINE_SUPERVISOR" || status=$?
  ENGINE_SUPERVISOR=
  return "$status"
}

# engine_leftovers: prints what is left of the engine after its end, which should be nothing.
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
  engine_cgroups "$ENGINE_DIR" | sed 's/^/cgroup /'
}

# engine_api SOCKET METHOD PATH [CURL OPTION...]: prints the response; a status other than 2xx ends the script.
engine_api() {
  local socket=$1 method=$2 path=$3 answer status
  shift 3
  answer=$(curl -sS --max-time 60 --unix-socket "$socket" -X "$method" -w '\n%{http_code}' "$@" "http://engine$path") ||
    die "the engine did not respond to $method $path"
  status=${answer##*$'\n'}
  case $status in
    2*) printf '%s\n' "${answer%$'\n'*}" ;;
    *) die "the engine responded to $method $path with $status: ${answer%$'\n'*}" ;;
  esac
}

# start_time PID: in ticks since boot. It distinguishes a process from a later one with the same ID.
start_time() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  # The process name, which is in parentheses before the start time, may contain any character.
  stat=${stat##*) }
  # shellcheck disable=SC2086 # a list of words
  set -- $stat
  echo "${20}"
}

# children PID
children() { grep -ls "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status | cut -d/ -f3; }

# engine_cgroup DIR: the name of the parent cgroup of the containers of the engine in DIR.
engine_cgroup() {
  local sum
  sum=$(printf %s "$1" | sha256sum)
  printf 'swarmctl-%s\n' "${sum:0:12}"
}

# engine_cgroups DIR: the paths of this cgroup, one for each controller.
engine_cgroups() {
  local name
  name=$(engine_cgroup "$1")
  # find fails if a cgroup of another engine is removed while it reads the tree.
  find /sys/fs/cgroup -maxdepth 2 -type d -name "$name" 2>/dev/null || true
}
