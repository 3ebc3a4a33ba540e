# shellcheck shell=bash
# shellcheck disable=SC2034 # some variables are for the scripts that source this
# Docker engines of Debian releases, unpacked into a cache and never installed. Sourced by lib.sh.
#
# The cache holds, for each release, RELEASE/VERSION/ (an unpacked Debian with docker.io and all that it depends on), and
# the symbolic link RELEASE/current. The cache can be removed at any time when no engine runs: the next use downloads it again.

# What each release contains: bookworm 20.10.24, trixie 26.1.5, forky (Debian's testing) the newest, 28.5.2 or later.
OLDEST_RELEASE=bookworm
NEWEST_RELEASE=forky
ALL_RELEASES="bookworm trixie forky"
# The version of the newest release's Docker that the program was last tested with.
NEWEST_TESTED=28.5.2

# engine_cache: prints the directory of the unpacked releases.
engine_cache() { echo "${SWARMCTL_ENGINE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/swarmctl/engines}"; }

# release_of WORD: prints the Debian release for a code name, `newest`, or a version of Docker; fails for anything else.
release_of() {
  case $1 in
    bookworm | 20.10 | 20.10.*) echo bookworm ;;
    trixie | 26.1 | 26.1.*) echo trixie ;;
    newest | forky) echo "$NEWEST_RELEASE" ;;
    *) return 1 ;;
  esac
}

# unpack_release RELEASE: downloads and unpacks it if it is not in the cache, and sets ENGINE_ROOT to the unpacked directory.
# The newest release is compared with Debian's mirror once a day, because its Docker changes.
ENGINE_ROOT=
INSTALLED_RELEASES=
unpack_release() {
  local release=$1 cache cache_lock
  cache=$(engine_cache)/$release
  mkdir -p "$cache"
  # Tests start several engines at the same time, and only one of them may unpack.
  exec {cache_lock}<"$cache"
  flock "$cache_lock"
  if ! [ -e "$cache/current/.complete" ]; then
    _fetch_release "$release" "$cache" || die "cannot get Docker from Debian $release, see above"
    INSTALLED_RELEASES="$INSTALLED_RELEASES $cache"
  elif [ "$release" = "$NEWEST_RELEASE" ] && [ -n "$(find "$cache/checked" -mmin +1440 2>/dev/null)" ]; then
    _fetch_release "$release" "$cache" ||
      note "warning: cannot check whether Debian $release has a newer Docker; using the cached one"
  fi
  ENGINE_ROOT=$(realpath "$cache/current")
  exec {cache_lock}<&-
}

# docker_version: prints the version of the unpacked Docker as Debian writes it, for example 28.5.2+dfsg4-5.
docker_version() { cat "$ENGINE_ROOT/.complete"; }

# engine_programs: prints a directory with the unpacked release's docker, docker-registry and busybox, which run on this machine.
engine_programs() { echo "$ENGINE_ROOT/.programs"; }

# In a subshell, so that its traps and variables are its own.
_fetch_release() (
  release=$1 cache=$2
  apt=$cache/apt.$$
  trap 'rm -rf "$apt" "$cache/new.$$"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  for mirror in $(_debian_mirrors); do
    rm -rf "$apt"
    _write_apt_config "$apt" "$release" "$mirror"
    export APT_CONFIG="$apt/apt.conf"
    if apt-get update -qq >"$apt/log" 2>&1 && version=$(_candidate docker.io) && [ -n "$version" ]; then
      _unpack_candidate && exit 0
    fi
    sed 's/^/  /' "$apt/log" >&2
    note "warning: the mirror $mirror has no usable Debian $release"
  done
  exit 1
)

_candidate() { apt-cache policy "$1" | sed -n 's/^ *Candidate: *//p' | grep -v '(none)'; }

# Part of _fetch_release: its variables are release, cache, apt and version.
_unpack_candidate() {
  local packages=(docker.io docker-registry busybox-static iptables kmod) deb new=$cache/new.$$ old
  if [ "$(cat "$cache/current/.complete" 2>/dev/null)" = "$version" ]; then
    touch "$cache/checked"
    return 0
  fi
  # Up to and including Debian 12, docker.io contains the client.
  if [ -n "$(_candidate docker-cli)" ]; then packages+=(docker-cli); fi
  note "downloading Docker $version of Debian $release (about 90 MB, unpacked in $cache, not installed)"
  apt-get install -qq -y --download-only --no-install-recommends "${packages[@]}" >>"$apt/log" 2>&1 || return 1
  rm -rf "$new"
  mkdir -p "$new"/usr/{bin,sbin,lib,lib64}
  for deb in bin sbin lib lib64; do ln -s "usr/$deb" "$new/$deb"; done
  for deb in "$apt"/debs/*.deb; do
    # Some packages still have /bin and /lib as directories, which must not replace the links.
    dpkg-deb --fsys-tarfile "$deb" |
      tar -x -C "$new" --keep-directory-symlink --no-same-owner \
        --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale --exclude=./dev >>"$apt/log" 2>&1 ||
      return 1
  done
  # Debian's alternatives are made by the packages' scripts, which do not run here.
  for deb in iptables ip6tables; do
    ln -sf "$deb-nft" "$new/usr/sbin/$deb"
    ln -sf "$deb-nft-save" "$new/usr/sbin/$deb-save"
    ln -sf "$deb-nft-restore" "$new/usr/sbin/$deb-restore"
  done
  mkdir -p "$new/usr/lib/modules"
  _write_programs "$new" "$cache/$version"
  echo "$version" >"$new/.complete"
  rm -rf "${cache:?}/$version"
  mv "$new" "$cache/$version"
  ln -sfn "$version" "$cache/current"
  touch "$cache/checked"
  # An engine holds a shared lock on the directory that it runs from.
  for old in "$cache"/[0-9]*/; do
    old=${old%/}
    [ "${old##*/}" = "$version" ] || flock --exclusive --nonblock "$old" rm -rf "$old" || true
  done
}

# _write_programs ROOT FINAL_PATH: commands that run the release's own programs with the release's own libraries.
_write_programs() {
  local root=$1 final=$2 program loader libraries
  loader=$(find "$root"/usr/lib "$root"/usr/lib64 -maxdepth 2 -name 'ld-linux*.so.*' | head -n 1)
  libraries=$(cd "$root" && find usr/lib -maxdepth 1 -name '*-linux-gnu*' | head -n 1)
  mkdir "$root/.programs"
  for program in docker docker-registry; do
    printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' \
      "$final/${loader#"$root/"}" "$final/$libraries" "$final/usr/bin/$program" >"$root/.programs/$program"
    chmod 755 "$root/.programs/$program"
  done
  ln -s ../usr/bin/busybox "$root/.programs/busybox"
}

# _write_apt_config DIRECTORY RELEASE MIRROR: everything that apt reads and writes is in DIRECTORY, so the machine's own apt is unchanged.
_write_apt_config() {
  local apt=$1 release=$2 mirror=$3 key
  for key in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do [ ! -e "$key" ] || break; done
  mkdir -p "$apt"/{lists,debs}/partial
  : >"$apt/status"
  echo "deb [signed-by=$key] $mirror $release main" >"$apt/sources.list"
  # The machine's proxies and certificates also apply here; its hooks and pins do not.
  apt-config dump Acquire >"$apt/apt.conf"
  cat >>"$apt/apt.conf" <<CONF
Dir::State "$apt";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
Dir::Cache::archives "$apt/debs";
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Architecture "$(dpkg --print-architecture)";
APT::Architectures { "$(dpkg --print-architecture)"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
CONF
}

# _debian_mirrors: prints the mirror that this machine's apt uses, if it is a Debian, and Debian's own.
_debian_mirrors() {
  local here
  here=$(. /etc/os-release && echo "${ID:-} ${VERSION_CODENAME:-}")
  if [ "${here% *}" = debian ]; then
    # shellcheck disable=SC2016 # apt expands these
    apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 2>/dev/null |
      awk -v name="${here#* }" '$1 !~ /^cdrom:/ && ($2 == name || $2 == "stable" || $2 == "testing" || $2 == "unstable" || $2 == "sid") { print $1; exit }'
  fi
  echo http://deb.debian.org/debian
}
