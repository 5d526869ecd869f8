#!/bin/sh
# Entry of every machine, the same for each runtime: shim.sh LAUNCH OUTPUT [STATUS]
#
# LAUNCH is a file of assignments on tmpfs: identity, settings and secrets, which therefore stand
# in no argument and in no container's description. All that follows is written to OUTPUT.
# With STATUS the shim stays, and keeps how the app ended for a server that was away meanwhile.
# Where DAYFLY_GATE is set, nothing starts before a line came on stdin: a server that dies
# between starting and recording a machine leaves none behind.
set -u
if [ "${DAYFLY_GATE-}" ]; then
    read -r _ || exit 125
    unset DAYFLY_GATE
    exec </dev/null
fi
launch=$1 output=$2 status=${3-}
exec >>"$output" 2>&1
set -a
. "$launch" || exit 125
set +a
run=$DAYFLY_RUN
unset DAYFLY_RUN TINI_KILL_PROCESS_GROUP
[ "$status" ] || exec /bin/sh -c "$run"
trap : HUP INT QUIT TERM
exec 3>&2 2>/dev/null # this shell's own word about a signal is not the app's
(exec /bin/sh -c "$run" 2>&3 3>&-)
ended=$?
echo "$ended" >"$status"
exit "$ended"
