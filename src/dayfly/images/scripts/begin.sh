# Before the build steps of an app, as root of the build's container, in the folder of this file.
own=$(dirname "$0")
ca=/etc/ssl/certs/ca-certificates.crt

if [ -e "$own/ca.crt" ]; then
  [ ! -e $ca ] || cp -p $ca "$own/ca.before"
  mkdir -p /etc/ssl/certs
  cp "$own/ca.crt" $ca
fi
# A Python without what makes virtual environments is used as it is.
! python3 -c 'import ensurepip, venv' 2>/dev/null || python3 -m venv /opt/venv
touch "$own/began"
