# After the build steps: what was for them alone goes. With a folder as its argument, for an image
# that is made of another base, what they wrote elsewhere than in /app and /opt/venv is put there.
own=$(dirname "$0")
ca=/etc/ssl/certs/ca-certificates.crt

without_certificates() {
  cmp -s "$own/ca.crt" $ca || return 0
  if [ -e "$own/ca.before" ]; then cp -p "$own/ca.before" $ca; else rm $ca; fi
}

# What brought packages into the virtual environment is no part of it, unless one of them asks.
without_pip() {
  for place in /opt/venv/lib/python3*/site-packages; do
    grep -hsiE '^Requires-Dist: *pip *([^a-z0-9._ -]|$)' "$place"/*.dist-info/METADATA |
      grep -qv 'extra *==' ||
      rm -rf "$place"/pip "$place"/pip-*.dist-info /opt/venv/bin/pip /opt/venv/bin/pip3*
  done
}

# Not caches, not what docker puts there, and no Debian packages, which are told.
carried() {
  cd /
  mkdir -p "$1"
  find . -xdev \( -path ./app -o -path ./opt/venv -o -path ".$own" -o -path ".$1" \
    -o -path ./dev -o -path ./proc -o -path ./root -o -path ./run -o -path ./sys -o -path ./tmp \
    -o -path ./var/cache -o -path ./var/log -o -path ./var/tmp \
    -o -path ./var/lib/apt -o -path ./var/lib/dpkg -o -path ./etc/alternatives \
    -o -path ./etc/hostname -o -path ./etc/hosts -o -path ./etc/mtab -o -path ./etc/resolv.conf \
    -o -path ./etc/ssl/certs/ca-certificates.crt -o -path ./.dockerenv \
    -o -path './usr/lib/python3/*__pycache__' \) -prune \
    -o \( -type f -o -type l \) -newercc "$own/began" -print > "$own/written"
  find var/lib/dpkg/info -name '*.list' -newercc "$own/began" > "$own/lists"
  if [ -s "$own/lists" ]; then
    xargs -d '\n' cat < "$own/lists" | sed 's#^/\(bin\|lib\|lib32\|lib64\|sbin\)/#/usr/\1/#; s#^#.#' > "$own/debian"
    echo ./etc/ld.so.cache >> "$own/debian"
    grep -vxFf "$own/debian" "$own/written" > "$own/left" || true
    mv "$own/left" "$own/written"
    echo "Debian packages that build steps install are not in the image:" \
      "$(sed 's#.*/##; s#[.]list$##; s#:.*##' "$own/lists" | sort | tr '\n' ' ')(what the app" \
      "needs belongs to provision under [image], the rest to tools)"
  fi
  xargs -r -d '\n' cp -a --parents -t "$1" < "$own/written"
  cd - > /dev/null
}

rm -rf .git
without_certificates
without_pip
[ -z "${1:-}" ] || carried "$1"
rm -rf "$own"
