#!/usr/bin/env bash
# Use case 1 by REST alone: curl and jq for the service, plain ssh for the session.
#   URL=http://127.0.0.1:4747/v1/teams/demo ENGINEER=<token> APPROVER=<token> examples/rest/walk.sh
set -euo pipefail
: "${URL:?the team, e.g. http://127.0.0.1:4747/v1/teams/demo}" "${ENGINEER:?a token}" "${APPROVER:?a token}"
here=$(cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The token goes to curl by standard input: arguments are seen by everybody on the machine.
call() {
  local token=$1 path=$2
  shift 2
  printf 'header = "authorization: Bearer %s"\n' "$token" |
    curl -sS --fail-with-body -K - -H 'content-type: application/json' "$@" "$URL$path"
}
step() { printf '\n%s\n' "$1"; }

step '1–2. Which access methods are there, and on what conditions?'
call "$ENGINEER" /resolve -d '{"names":["opa-demo-linux"]}' >"$work/resolved"
jq -c '.user_access_methods[] | {identity, allowed, needs: [.conditionals[] | select(.condition_is_met | not) | .description]}' "$work/resolved"

step '3–4. Raise the access request that the first one asks for.'
jq '.user_access_methods[0] as $m | {
  request_type_id: ($m.conditionals[] | select(.type == "access_request") | .request_type.id),
  target: ({type: "server_access"} + ($m | {server_id, identity, access_credential})),
  answers: {justification: "rotate the logs"}}' "$work/resolved" >"$work/wish"
call "$ENGINEER" /access_requests -d @"$work/wish" >"$work/request"
jq -c '{id, state, still_needed: .steps[0].still_needed}' "$work/request"
id=$(jq -r .id "$work/request")

step '5. The approver decides, on the version that was read (If-Match).'
call "$APPROVER" "/access_requests/$id/decisions" -H "if-match: \"$(jq -r .etag "$work/request")\"" \
  -d '{"decision":"approve","step":0,"comment":"go ahead"}' | jq -c '{id, state, ends_at}'

step '6. Policy is evaluated again.'
server=$(jq -r '.user_access_methods[0].server_id' "$work/resolved")
call "$ENGINEER" /evaluate -d "{\"server_id\":\"$server\"}" |
  jq -c '.user_access_methods[] | {identity, allowed, expires_at}'

step '7. Open a session for a fresh key, and connect.'
call "$ENGINEER" /whoami >"$work/me"
call "$ENGINEER" /sessions/nonce -X POST >"$work/nonce"
jq -n --slurpfile m "$work/resolved" --slurpfile me "$work/me" --slurpfile n "$work/nonce" \
  '($m[0].user_access_methods[0] | {server_id, identity, access_credential})
   + {team: $me[0].team, user_id: $me[0].user.id, nonce: $n[0].nonce}' |
  node "$here/proof.mjs" "$work/key" >"$work/open"
call "$ENGINEER" /sessions -d @"$work/open" >"$work/session"
jq -c '{session: (.session | {id, state, expires_at}), gateway: (.gateway | {host, port})}' "$work/session"
host=$(jq -r .gateway.host "$work/session")
port=$(jq -r .gateway.port "$work/session")
jq -r --arg at "[$host]:$port" '.gateway.host_keys[] | "\($at) \(.)"' "$work/session" >"$work/known_hosts"
ssh -F none -i "$work/key" -p "$port" -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes \
  -o UserKnownHostsFile="$work/known_hosts" \
  "$(jq -r .gateway.username "$work/session")@$host" 'echo "I am $LOGNAME"'
