# What the scripts share. POSIX sh; sourced with $root set to the checkout.

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }
is_root() { [ "$(id -u)" = 0 ]; }
has() { PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$1" >/dev/null 2>&1; }
postgres_there() { ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || has initdb; }

# The virtual environment .venv with everything pinned in the given requirement files.
make_venv() {
  python=$(find_python)
  if ! [ -x "$root/.venv/bin/python" ]; then
    "$python" -m venv "$root/.venv" || fail "python3-venv is missing: apt-get install python3-venv"
  fi
  wanted=$(cd "$root" && cat "$@" pyproject.toml | cksum)
  [ "$(cat "$root/.venv/installed" 2>/dev/null)" = "$wanted" ] && return
  say "Installing pinned Python packages into .venv ($*)"
  for file in "$@"; do
    "$root/.venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$root/$file"
  done
  "$root/.venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e "$root"
  printf '%s\n' "$wanted" > "$root/.venv/installed"
}

find_python() {
  for candidate in python3.11 python3 python3.12 python3.13 /usr/bin/python3; do
    if has "$candidate" && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
      command -v "$candidate"
      return
    fi
  done
  fail "Python 3.11 or newer is needed: apt-get install python3 python3-venv"
}

# Install Debian packages without letting any of them start a service.
apt_install() {
  missing=""
  for package in "$@"; do
    dpkg -s "$package" 2>/dev/null | grep -q '^Status: install ok installed' || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  say "Installing Debian packages:$missing"
  policy=/usr/sbin/policy-rc.d
  if ! [ -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT INT TERM
  fi
  mkdir -p /etc/postgresql-common/createcluster.d
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086 # a list of names
  { apt-get -q update && apt-get -q install -y --no-install-recommends $missing; } >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; fail "apt-get failed; its output is in $log"; }
}
