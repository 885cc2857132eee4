#!/bin/sh
# Sends contacts.csv with curl and waits until the import has ended:  SLUICE_KEY=id:secret examples/contacts.sh
set -eu
url=${SLUICE_URL:-http://127.0.0.1:8000}
auth="Authorization: apiKey ${SLUICE_KEY:?set SLUICE_KEY to your key, id:secret}"
file=$(dirname "$0")/contacts.csv

answer=$(curl -sS --fail-with-body -H "$auth" "$url/imports" \
    -F type=contacts -F delimiter=, -F overrideExisting=true -F updateOnlyEmptyFields=false \
    -F "file=@$file;type=text/csv") || { printf '%s\n' "$answer" >&2; exit 2; }
printf '%s\n' "$answer"
id=$(printf '%s\n' "$answer" | sed 's/.*"id" *: *"\([0-9a-f]*\)".*/\1/')

while :; do
    run=$(curl -sS --fail-with-body --retry 5 -H "$auth" "$url/imports/$id") || { printf '%s\n' "$run" >&2; exit 2; }
    case $run in *'"status":"finished"'* | *'"status":"error"'* | *'"status":"cancelled"'*) break ;; esac
    sleep 1
done
printf '%s\n' "$run"

# The failed rows as they were sent, with their reasons.
case $run in *'"errorReportFileUrl"'*)
    curl -sS --fail -H "$auth" "$(printf '%s\n' "$run" | sed 's/.*"errorReportFileUrl":"\([^"]*\)".*/\1/')" ;;
esac

# `error`: the import failed, or waits for somebody to decide, because a limit or a quota has halted it.
case $run in *'"status":"finished"'*) ;; *) exit 1 ;; esac
