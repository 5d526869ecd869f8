#!/bin/sh
# dayfly-current.sh LIB VENV MARK: the Dayfly of LIB.tar is in force from now on.
#
# What was in force until now stays, as it may still run; what came before that goes. The mark is
# written last but for the old one, so that a run that was cut off finds what was there before it.
set -eu
lib=$1 venv=$2 mark=$3
mkdir -p "$lib"
tar -xf "$lib.tar" -C "$lib"
site=$("$venv/bin/python" -c 'import site; print(site.getsitepackages()[0])')
echo "$lib" > "$site/dayfly.pth"

cd "$(dirname "$lib")"
before='' beside=''
for old in current-*; do
  [ "$old" != "${mark##*/}" ] && [ -e "$old" ] || continue
  before=dayfly-${old#current-}
  beside=$(cat "$old")
done
for old in dayfly-* python-*; do
  name=${old%.t[ax][rt]}
  case $name in
    "${lib##*/}" | "${venv##*/}" | "$before" | "$beside") continue ;;
    python-*) [ -n "$beside" ] || [ -z "$before" ] || continue ;; # nobody wrote down which it had
  esac
  rm -rf "$old"
done
echo "${venv##*/}" > "$mark"
for old in current-*; do
  [ "$old" = "${mark##*/}" ] || rm -f "$old"
done
