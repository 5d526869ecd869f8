# person.sh check|do MARKS NAME, keys on its input: somebody who is there may log in with them.
#
# What they have stays. What is added is written down before it is done, so that people-gone.sh
# takes back that and nothing else. It prints what it does, or with `check` would do.
set -eu
mode=$1 marks=$2 name=$3
mine=$marks/person/$name
entry=$(getent passwd "$name") || { echo "$name comes"; exit; } # only with `check`
home=$(echo "$entry" | cut -d : -f 6) shell=$(echo "$entry" | cut -d : -f 7)
[ -d "$home" ] || { echo "$name can't have a key: their home $home is not there" >&2; exit 1; }
folder=$home/.ssh file=$home/.ssh/authorized_keys

# will WHAT FILE LINE: tell it and write it down; false with `check`.
will() {
  echo "$name: $1"
  [ "$mode" = do ] || return
  mkdir -p "$mine" && echo "$home" > "$mine/home" || exit 1
  grep -qxFs -- "$3" "$mine/$2" || echo "$3" >> "$mine/$2" || exit 1
}

has() {
  awk -v kind="$1" -v text="$2" '$1 == kind && $2 == text { found = 1 } END { exit !found }' "$file" 2>/dev/null
}

if [ -n "$shell" ] && ! grep -qxF -- "$shell" /etc/shells; then
  will 'a shell' shell "$shell" && usermod --shell /bin/bash "$name"
fi
while read -r kind text comment; do
  [ -n "$text" ] && ! has "$kind" "$text" || continue
  will 'a key' keys "$kind $text" || continue
  if [ ! -d "$folder" ]; then
    will 'a folder of keys' made folder
    mkdir -m 700 "$folder"
    chown "$name:" "$folder"
  fi
  if [ ! -e "$file" ]; then
    will 'a file of keys' made file
    (umask 077 && : > "$file")
    chown "$name:" "$file"
  fi
  [ -z "$(tail -c 1 "$file")" ] || echo >> "$file"
  echo "$kind $text${comment:+ $comment}" >> "$file"
done
