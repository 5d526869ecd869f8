#!/bin/sh
# packages-gone.sh MARKS KEPT PACKAGE…: what was installed for Dayfly goes, and what it drove out
# returns. What somebody has installed meanwhile stays, with all that it needs; so does what is KEPT.
set -eu
marks=$1 kept=$2
shift 2
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
dpkg-query --show --showformat='${db:Status-Status} ${Package}\n' |
  sed -n 's/^installed //p' | sort -u > "$work/now"
sort -u "$marks/before" > "$work/before"
comm -13 "$work/before" "$work/now" > "$work/come"
{ printf '%s\n' "$@"; apt-mark showauto; } | sed 's/:.*//' | sort -u | comm -12 - "$work/come" > "$work/ours"
needs_of() {
  apt-cache depends --installed --recurse --no-suggests --no-conflicts --no-breaks \
    --no-replaces --no-enhances "$1" | sed 's/^[^A-Za-z0-9]*\(Depends: \|PreDepends: \|Recommends: \)\?//' | sort -u
}
if [ -n "$kept" ]; then
  needs_of "$kept" | comm -13 - "$work/ours" > "$work/less"
  mv "$work/less" "$work/ours"
fi
# Of these only what nothing else needs.
while [ -s "$work/ours" ]; do
  apt-get -s purge $(cat "$work/ours") | sed -n 's/^\(Remv\|Purg\) \([^ :]*\).*/\2/p' | sort -u |
    comm -23 - "$work/ours" > "$work/others"
  [ -s "$work/others" ] || break
  other=$(head -n 1 "$work/others")
  needs_of "$other" | comm -13 - "$work/ours" > "$work/less"
  ! cmp -s "$work/less" "$work/ours" || { echo "$other needs what came with Dayfly"; exit 1; }
  mv "$work/less" "$work/ours"
done
[ ! -s "$work/ours" ] || apt-get -qq purge -y -o Dpkg::Use-Pty=0 $(cat "$work/ours") >/dev/null
comm -23 "$work/before" "$work/now" > "$work/driven"
[ ! -s "$work/driven" ] ||
  apt-get -qq install -y --no-install-recommends -o Dpkg::Use-Pty=0 $(cat "$work/driven") >/dev/null
