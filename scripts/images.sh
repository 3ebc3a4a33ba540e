# shellcheck shell=bash
# The test images, built without a registry. Sourced by scripts/engine.

# Each image runs /bin/whoami as process 1 of its container. The kernel delivers a signal to process 1 only if it has a handler,
# so the programs that end on SIGTERM set a trap. They wait for a background child, because bash and busybox delay a trap
# until the foreground command ends.
program_of() {
  case $1 in
    0.*)
      cat <<SH
echo 'whoami $1 listening on port 80'
trap 'exit 0' TERM INT
httpd -f -p 80 -h /www &
wait
SH
      ;;
    bad)
      cat <<'SH'
echo 'whoami: cannot open /etc/whoami.conf' >&2
exit 1
SH
      ;;
    late)
      cat <<'SH'
echo 'whoami late: starting'
echo 'whoami late: will give up after 4 s'
trap 'exit 143' TERM INT
sleep 4 &
wait
exit 3
SH
      ;;
    sick)
      cat <<'SH'
echo 'whoami sick: running, never healthy'
trap 'exit 143' TERM INT
httpd -f -p 80 -h /www &
wait
SH
      ;;
    once)
      cat <<'SH'
trap 'exit 143' TERM INT
sleep 1 &
wait
echo done
SH
      ;;
    slow-stop)
      cat <<'SH'
echo 'whoami slow-stop: ends on SIGKILL only'
trap '' TERM INT
httpd -f -p 80 -h /www &
while :; do wait; sleep 1; done
SH
      ;;
  esac
}

image_tags=(0.5 0.6 0.7 bad late sick once slow-stop)

# make_images DIR BUSYBOX: writes DIR/TAG.tar for each tag; BUSYBOX is a static busybox.
make_images() {
  local out=$1 root=$1/root tag
  mkdir -p "$root/bin" "$root/etc" "$root/tmp" "$root/www"
  cp "$2" "$root/bin/busybox"
  # This creates a link for each applet. whoami is one of them: it is replaced below, and writing to the link would overwrite busybox.
  chroot "$root" /bin/busybox --install -s /bin
  rm "$root/bin/whoami"
  printf 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$root/etc/passwd"
  printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
  chmod 1777 "$root/tmp"
  for tag in "${image_tags[@]}"; do
    { echo '#!/bin/sh' && program_of "$tag"; } >"$root/bin/whoami"
    chmod 755 "$root/bin/whoami"
    echo "whoami $tag" >"$root/www/index.html"
    tar -C "$root" --owner=0 --group=0 -cf "$out/$tag.tar" .
  done
}

# import_images DIR: imports each DIR/TAG.tar into the engine as opera443399/whoami:TAG, with the function api.
import_images() {
  local from=$1 tag changes all sick
  # Encoded for a URL: CMD ["/bin/whoami"], EXPOSE 80, and for one image
  # HEALTHCHECK --interval=1s --timeout=2s --retries=2 CMD false
  all='changes=CMD%20%5B%22%2Fbin%2Fwhoami%22%5D&changes=EXPOSE%2080'
  sick='changes=HEALTHCHECK%20--interval%3D1s%20--timeout%3D2s%20--retries%3D2%20CMD%20false'
  for tag in "${image_tags[@]}"; do
    changes=$all
    if [ "$tag" = sick ]; then changes+="&$sick"; fi
    api POST "/images/create?fromSrc=-&repo=opera443399/whoami&tag=$tag&$changes" \
      -H 'Content-Type: application/x-tar' --data-binary "@$from/$tag.tar" >>"$from/answers"
  done
  # The response is a stream with status 200; an error is one of its objects.
  if jq -es 'any(.[]; has("error"))' "$from/answers" >/dev/null; then
    die "cannot import the test images: $(cat "$from/answers")"
  fi
}
