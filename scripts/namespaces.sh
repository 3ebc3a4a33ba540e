# shellcheck shell=bash
# What runs inside the namespaces of a private engine: its mounts, and dockerd. Sourced by scripts/engine, with lib.sh.

# inside DIR CGROUP ROOT [DOCKERD OPTION...]: the first process in the namespaces. Runs the dockerd of the release in ROOT.
inside() {
  local dir=$1 cgroup=$2 root=$3 fd path status busybox=/usr/bin/busybox
  shift 3
  ip link set lo up

  # dockerd and containerd write to a few places that no option changes: sockets below /run, a key below /etc/docker, empty
  # directories below /opt. A private /run also hides a containerd of the host, which dockerd would use instead of its own.
  exec {fd}<"$dir"
  mount -t tmpfs -o mode=755 tmpfs /run
  case $dir/ in
    /run/* | /var/run/*)
      mkdir -p "$dir"
      # --no-canonicalize, because the resolved path of the descriptor is now the new, empty directory.
      mount --no-canonicalize --bind "/proc/self/fd/$fd" "$dir"
      ;;
  esac
  exec {fd}<&-
  for path in /etc /opt; do
    [ -d "$path" ] || continue
    mkdir -p "/run/over$path/upper" "/run/over$path/work"
    mount -t overlay overlay -o "lowerdir=$path,upperdir=/run/over$path/upper,workdir=/run/over$path/work" "$path" || {
      note "no overlay over $path: an empty directory may be left there"
      continue
    }
    # ld.so.cache lists the machine's libraries, not those of the release.
    if [ "$path" = /etc ]; then rm -f /etc/ld.so.cache; fi
  done

  mount_cgroups
  echo '{}' >"$dir/engine.data/daemon.json"
  mount_programs "$root"

  # From here on, the machine's own programs are hidden: only the programs of the release and the
  # builtins of bash can be used.
  # The cgroup driver is cgroupfs, because systemd is outside of this PID namespace and would misinterpret the process
  # IDs in here.
  while :; do
    dockerd \
      --config-file "$dir/engine.data/daemon.json" \
      --data-root "$dir/engine.data/root" \
      --exec-root /run/docker \
      --pidfile /run/dockerd.pid \
      --host "unix://$dir/docker.sock" \
      --exec-opt native.cgroupdriver=cgroupfs \
      --cgroup-parent "/$cgroup" "$@" &
    # As process 1, this shell also inherits orphans (the shims), and reaps them while it waits.
    status=0
    wait "$!" || status=$?
    # scripts/managers kills a dockerd and starts it again; otherwise the engine ends with dockerd.
    [ -e "$dir/engine.data/held" ] || return "$status"
    : >"$dir/engine.data/is-held"
    while [ -e "$dir/engine.data/held" ]; do $busybox sleep 0.1; done
    $busybox rm -f /run/dockerd.pid "$dir/engine.data/is-held"
  done
}

# mount_programs ROOT: ROOT/usr becomes /usr, read-only. All else (/etc, directories of certificates) stays the machine's.
mount_programs() {
  local root=$1 path
  # dockerd loads kernel modules, and these are the machine's.
  if [ -d /usr/lib/modules ]; then mount --bind /usr/lib/modules "$root/usr/lib/modules"; fi
  mount --rbind "$root/usr" "$root/usr"
  mount -o remount,bind,ro "$root/usr"
  # busybox is static: it works while libraries are replaced. If the machine's /usr is not merged, /lib and others are directories.
  for path in bin sbin lib lib64; do
    if [ -d "/$path" ] && ! [ -L "/$path" ]; then "$root/usr/bin/busybox" mount -o rbind "$root/usr/$path" "/$path"; fi
  done
  "$root/usr/bin/busybox" mount -o rbind "$root/usr" /usr
  PATH=/usr/sbin:/usr/bin
}

cgroups_mounted() {
  awk '$5 ~ "^/sys/fs/cgroup" && / - cgroup2? / { found = 1 } END { exit !found }' /proc/self/mountinfo
}

# In a container, or on a machine without an init, cgroups may be missing. In a mount namespace nobody else sees these mounts.
mount_cgroups() {
  local controller
  if cgroups_mounted; then return 0; fi
  mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
  # Controllers that version 1 does not use belong to version 2. memory is the one that matters.
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  if grep -qw memory /sys/fs/cgroup/cgroup.controllers; then return 0; fi
  umount /sys/fs/cgroup
  while IFS=$'\t' read -r controller _; do
    mkdir "/sys/fs/cgroup/$controller"
    mount -t cgroup -o "$controller" cgroup "/sys/fs/cgroup/$controller" || rmdir "/sys/fs/cgroup/$controller"
  done < <(grep -v -e '^#' -e '0$' /proc/cgroups)
}
