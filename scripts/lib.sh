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
  mkdir -p "$root/.venv/installed"
  for file in "$@"; do
    up_to_date "$file" && continue
    say "Installing pinned Python packages into .venv ($file)"
    "$root/.venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$root/$file"
    stamp "$file"
  done
  up_to_date pyproject.toml && return
  "$root/.venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e "$root"
  stamp pyproject.toml
}

# A file of the checkout and whether .venv holds what it asks for.
up_to_date() { [ "$(cat "$root/.venv/installed/$1" 2>/dev/null)" = "$(cksum < "$root/$1")" ]; }
stamp() { cksum < "$root/$1" > "$root/.venv/installed/$1"; }

find_python() {
  for candidate in python3.11 python3 python3.12 python3.13 /usr/bin/python3; do
    if has "$candidate" && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
      command -v "$candidate"
      return
    fi
  done
  fail "Python 3.11 or newer is needed: apt-get install python3 python3-venv"
}

# What the package-lock.json of a folder pins, unless it is there.
npm_install() {
  same=$1/node_modules/installed
  [ "$(cat "$same" 2>/dev/null)" = "$(cksum < "$1/package-lock.json")" ] && return
  say "Installing pinned $2 from npm ($1)"
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --prefix "$1" > "$log" 2>&1 ||
    { tail -n 20 "$log" >&2; fail "npm can't install what $1/package-lock.json names"; }
  cksum < "$1/package-lock.json" > "$same"
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
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT INT TERM # whatever happens while apt-get runs
    ours=yes
  fi
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086 # a list of names
  { apt-get -q update && apt-get -q install -y --no-install-recommends $missing; } >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; fail "apt-get failed; its output is in $log"; }
  [ -z "${ours:-}" ] || rm -f "$policy"
}

# Put a Debian package into a folder, and the libraries it needs in their place: for one that may not
# be installed beside others.
apt_unpack() {
  [ -d "$2/usr" ] && return 0
  # shellcheck disable=SC2046 # a list of names
  apt_install $(apt-cache depends "$1" | sed -n 's/^  Depends: \(lib[^ ]*\)$/\1/p')
  say "Unpacking the Debian package $1 ($2)"
  fetched=$(mktemp -d)
  (cd "$fetched" && apt-get -q download "$1" >/dev/null 2>>"$log") && dpkg -x "$fetched"/*.deb "$2" ||
    fail "apt-get can't fetch $1; its output is in $log"
  rm -rf "$fetched"
}

# -- the demo's own world

demo_home() { if is_root; then echo /var/lib/dayfly-demo; else echo "$HOME/.local/share/dayfly-demo"; fi; }

make_home() {
  mkdir -p "$DAYFLY_HOME/demo"
  chmod 755 "$DAYFLY_HOME" "$DAYFLY_HOME/demo"
}

# The first port from $1 on that nobody listens on, or the one this home uses already.
free_port() {
  "$root/.venv/bin/python" - "$1" "$DAYFLY_HOME/environment.toml" <<'EOF'
import pathlib, re, socket, sys
first, settings = int(sys.argv[1]), pathlib.Path(sys.argv[2])
mine = {int(p) for p in re.findall(r":(\d+)\"", settings.read_text())} if settings.exists() else set()
def free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
print(next(port for port in range(first, first + 90) if port in mine or free(port)))
EOF
}

# As the user that PostgreSQL's programs run as: they refuse root.
as_postgres() {
  if is_root; then setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"; else "$@"; fi
}

# The demo's own PostgreSQL cluster; sets $database_url.
start_postgres() {
  data=$DAYFLY_HOME/demo/postgres
  bin=$("$root/.venv/bin/python" -c 'from dayfly.database.programs import programs; print(programs(None))')
  if ! [ -e "$data/port" ]; then
    mkdir -p "$data"
    head -c 18 /dev/urandom | od -An -tx1 | tr -d ' \n' > "$data/password"
    free_port 8290 > "$data/port"
    is_root && chown -R postgres: "$data"
    as_postgres "$bin/initdb" --pgdata="$data/cluster" --username=orders --pwfile="$data/password" \
      --auth=scram-sha-256 --encoding=UTF8 --locale=C >> "$log" 2>&1 || fail "initdb failed, see $log"
  fi
  port=$(cat "$data/port")
  as_postgres "$bin/pg_ctl" --pgdata="$data/cluster" status >/dev/null 2>&1 ||
    as_postgres "$bin/pg_ctl" --pgdata="$data/cluster" --log="$data/log" --wait start \
      --options="-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=" >> "$log" 2>&1 ||
    fail "PostgreSQL did not start, see $data/log"
  database_url=postgresql://orders:$(cat "$data/password")@127.0.0.1:$port/postgres
  say "PostgreSQL of the demo: 127.0.0.1:$port"
}

stop_postgres() {
  data=$DAYFLY_HOME/demo/postgres
  [ -e "$data/cluster/postmaster.pid" ] || return 0
  bin=$("$root/.venv/bin/python" -c 'from dayfly.database.programs import programs; print(programs(None))')
  as_postgres "$bin/pg_ctl" --pgdata="$data/cluster" --mode=fast --wait stop > /dev/null
}

# Use the Docker Engine that runs, or start one of our own; 1 where none can run.
start_docker() {
  docker info >/dev/null 2>&1 && return 0
  nohup dockerd > "$DAYFLY_HOME/dockerd.log" 2>&1 &
  echo $! > "$DAYFLY_HOME/dockerd.pid"
  for _ in $(seq 40); do
    docker info >/dev/null 2>&1 && return 0
    kill -0 "$(cat "$DAYFLY_HOME/dockerd.pid")" 2>/dev/null || break
    sleep 0.5
  done
  stop_docker
  return 1
}

why_no_docker() {
  { grep -o 'failed to start daemon.*' "$DAYFLY_HOME/dockerd.log" || tail -n 1 "$DAYFLY_HOME/dockerd.log"; } | tail -n 1 | cut -c1-120
}

stop_docker() {
  [ -e "$DAYFLY_HOME/dockerd.pid" ] || return 0
  pid=$(cat "$DAYFLY_HOME/dockerd.pid")
  kill "$pid" 2>/dev/null || true
  for _ in $(seq 60); do # it ends its containers first
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.5
  done
  rm -f "$DAYFLY_HOME/dockerd.pid"
}

serving() { dayfly status --json | python -c 'import json,sys; print(json.load(sys.stdin)["apps"][0]["serving"]["release"])'; }

# The web machines that serve, one name a line.
machines() {
  dayfly status --json | python -c '
import json, sys
for machine in json.load(sys.stdin)["apps"][0]["serving"]["machines"]:
    if machine["process"] == "web" and machine["healthy"]:
        print(machine["machine"])'
}

# Names it in `victim`, and in `killed_at` when it was told to (seconds since the epoch).
kill_a_machine() {
  before=$(machines)
  victim=$(echo "$before" | head -n 1)
  killed_at=$(date +%s.%N)
  if [ "$runtime" = docker ]; then
    docker kill "$(docker ps --quiet --filter "name=$victim")" > /dev/null
  else
    kill -9 "-$(cut -d' ' -f1 "$DAYFLY_HOME/machines/$victim/pid")" # the machine's process group
  fi
  say "killed $victim"
  for _ in $(seq 60); do
    now=$(machines)
    if ! echo "$now" | grep -qx "$victim" && [ "$(echo "$now" | wc -l)" = "$(echo "$before" | wc -l)" ]; then
      say "serving now: $(echo "$now" | tr '\n' ' ')"
      return
    fi
    sleep 0.5
  done
  fail "$victim was not replaced within 30 s"
}
