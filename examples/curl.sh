#!/bin/sh
# Requests a Coze access token for a user, and shows how long it lives.
#
#   examples/curl.sh user123          a summary; of the token only its first characters
#   examples/curl.sh --show user123   the token alone, for TOKEN=$(examples/curl.sh --show user123)
#
# Against `npm start` it runs as it is. Otherwise set:
#   TOKEN_URL  the address of your Worker, such as https://token.example.com/
#   API_KEY    the key of your caller, if the service is closed
#
# Needs curl 7.55 or newer, and jq. Exits with 0 and a token, with 75 if it may work later, with 1 if it will not.
set -eu

TOKEN_URL=${TOKEN_URL:-http://127.0.0.1:8787/}
MAX_ATTEMPTS=4
MAX_WAIT_SECONDS=60 # no longer than the Worker's rate limit asks for

show=no
if [ "${1:-}" = --show ]; then show=yes && shift; fi

# A line break would begin another header.
for value in "${1:-}" "${API_KEY:-}"; do
  case $value in
    *[[:cntrl:]]*)
      echo "The user id or API_KEY has a line break or another control character." >&2
      exit 1
      ;;
  esac
done

# Without an argument there is no user. An empty one is a mistake of the caller, and must not become "no user": curl leaves
# out a header without a value, unless it ends in a semicolon.
user_header=
if [ $# -gt 0 ]; then
  case $1 in *[![:space:]]*) user_header="X-User-ID: $1" ;; *) user_header='X-User-ID;' ;; esac
fi

# The token is in these files for a moment: only this account may read them, and they go when the script ends.
umask 077
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

# Headers go to curl through a pipe: everybody on this machine can read the arguments of a command.
headers() {
  if [ -n "$user_header" ]; then printf '%s\n' "$user_header"; fi
  if [ -n "${API_KEY:-}" ]; then printf 'Authorization: Bearer %s\n' "$API_KEY"; fi
}

# Prints the status; 000 when there was no response.
request() {
  : >"$folder/headers" && : >"$folder/body"
  headers | curl --silent --show-error --max-time 20 --request POST --header @- \
    --dump-header "$folder/headers" --output "$folder/body" --write-out '%{http_code}' "$TOKEN_URL" || true
}

# A field of the JSON response; nothing when there is none. Without control characters, which a terminal would obey.
field() { jq -r ".$1"' // empty | tostring | gsub("\\p{Cc}"; "")' "$folder/body" 2>/dev/null || true; }

# A header of the response, in lower case.
header() { tr -d '\r' <"$folder/headers" | tr '[:upper:]' '[:lower:]' | sed -n "s/^$1: *//p"; }

# How long to wait before another attempt: as the service asks, or 1, 2, 4 seconds and a random part of it, so that many
# clients do not come back in the same moment.
wait_seconds() {
  seconds=$(header retry-after)
  case $seconds in
    '' | *[!0-9]*)
      backoff=$((1 << ($1 - 1)))
      random=$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')
      seconds=$((backoff + random % (backoff + 1)))
      ;;
    ?????*) seconds=$MAX_WAIT_SECONDS ;; # more digits than a shell can compare
  esac
  if [ "$seconds" -gt "$MAX_WAIT_SECONDS" ]; then seconds=$MAX_WAIT_SECONDS; fi
  echo "$seconds"
}

may_work_later() { case $status in 000 | 429 | 503 | 504) ;; *) return 1 ;; esac; }

# printf, as echo obeys backslashes in some shells.
outcome() { if [ "$status" = 000 ]; then echo "no response"; else printf '%s\n' "status $status, $(field error)"; fi; }

# What to do about an error. README.md has all codes, under Errors.
advice() {
  case $1 in
    invalid_client) echo "Set API_KEY to the key of a caller. A key that was right before may have been replaced." ;;
    access_denied) echo "The caller is known, and may not have this. Ask the operator of the service." ;;
    rate_limited) echo "Too many requests. Use the token for all of its life instead of requesting one each time." ;;
    server_misconfigured) echo "The operator finds the reason at ${TOKEN_URL%/}/health." ;;
    upstream_rejected) printf '%s\n' "Coze refused: $(field coze.error_code) $(field coze.error_message)" ;;
    '') echo "Is TOKEN_URL right? It is $TOKEN_URL" ;;
  esac
}

attempt=1
status=$(request)
while may_work_later && [ "$attempt" -lt "$MAX_ATTEMPTS" ]; do
  seconds=$(wait_seconds "$attempt")
  attempt=$((attempt + 1))
  printf '%s\n' "$(outcome). Attempt $attempt of $MAX_ATTEMPTS follows in $seconds seconds." >&2
  sleep "$seconds"
  status=$(request)
done

if [ "$status" != 200 ]; then
  {
    printf '%s\n' "No token: $(outcome)"
    field error_description
    advice "$(field error)"
    id=$(field request_id)
    [ -z "$id" ] || printf '%s\n' "Request id: $id" # finds this request in the log of the service
  } >&2
  if may_work_later; then exit 75; fi
  exit 1
fi

# Any server can respond with 200. Older versions of jq end with 0 when the body is empty.
token=$(
  jq -er 'select(.expires_in | numbers) | .access_token | strings | select(test("\\A[!-~]+\\z"))' \
    "$folder/body" 2>/dev/null
) || token=
if [ -z "$token" ]; then
  echo "No token: status 200, and a body without one. Is TOKEN_URL right? It is $TOKEN_URL" >&2
  exit 1
fi

if [ "$show" = yes ]; then
  printf '%s\n' "$token"
else
  # `ttl` counts from now, so it is right even where the clock of this machine is not.
  left=$(header cache-status | sed -n 's/.*ttl=\([0-9]*\).*/\1/p')
  jq -r --arg left "$left" '"Token:   \(.access_token[0:8])…
Expires: \(.expires_in | todate), in \($left) seconds"' "$folder/body"
fi
