# people-gone.sh MARKS: what `host add` gave to people is taken back, and who came with it goes.
#
# Whoever types this may be root by what goes here, so that it comes last, and at once.
set -eu
marks=$1

keys_back() {
  file=$(cat "$1/home")/.ssh/authorized_keys
  [ -s "$1/keys" ] && [ -e "$file" ] || return 0
  left=$(mktemp)
  awk 'NR == FNR { ours[$1 " " $2]; next } !(($1 " " $2) in ours)' "$1/keys" "$file" > "$left"
  cat "$left" > "$file"
  rm "$left"
}

# What was made for the keys goes where nothing else has come into it.
places_back() {
  folder=$(cat "$1/home")/.ssh
  ! grep -qxs file "$1/made" || [ -s "$folder/authorized_keys" ] || rm -f "$folder/authorized_keys"
  ! grep -qxs folder "$1/made" || rmdir "$folder" 2>/dev/null || true
}

shell_back() {
  [ -s "$1/shell" ] || return 0
  [ "$(getent passwd "$2" | cut -d : -f 7)" != /bin/bash ] || usermod --shell "$(cat "$1/shell")" "$2"
}

for name in $(cat "$marks/people" 2>/dev/null); do
  ! getent passwd "$name" >/dev/null || userdel "$name"
done
for mine in "$marks"/person/*; do
  [ -d "$mine" ] || continue
  keys_back "$mine"
  places_back "$mine"
  shell_back "$mine" "${mine##*/}"
  rm -r "$mine"
done
for rule in /etc/sudoers.d/dayfly-*; do
  [ -e "$rule" ] || continue
  [ "$(cat "$rule")" != "${rule##*/dayfly-} ALL=(ALL) NOPASSWD: ALL" ] || rm "$rule"
done
