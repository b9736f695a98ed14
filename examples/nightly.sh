#!/bin/sh
# A nightly job that works with Coze: it gets a token with the API key of its caller, and calls Coze's API.
#
# In a crontab, with a mail only when something went wrong:
#
#   MAILTO=ops@example.com
#   TOKEN_URL=https://token.example.com/
#   COZE_API=https://api.coze.cn
#   API_KEY_FILE=/etc/nightly-report.key
#   15 3 * * * /opt/nightly.sh >/dev/null
#
# Against `npm start` it runs as it is, without a key.
# `npm run keygen -- nightly-report` makes a key and prints its caller. Save the key so that only the job's account can read it:
#   install -m 600 /dev/stdin /etc/nightly-report.key
#
# Exit status, for the mail: 0 done · 69 Coze or the token service is down, the next run may work · 77 the key or the
# token was rejected, somebody must look · 78 the job is set up wrongly.
set -eu

TOKEN_URL=${TOKEN_URL:-http://127.0.0.1:8787/}
COZE_API=${COZE_API:-http://127.0.0.1:4000}
USER_ID=${USER_ID:-nightly-report} # the session in which the job's conversations are

umask 077
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

# One line of text, without control characters, which a terminal would obey.
printable() { jq -Rrs 'gsub("\\p{Cc}"; "")'; }

fail() {
  printf '%s' "nightly: $2" | printable >&2
  exit "$1"
}

# The key comes from a file, or from the environment. Never from an argument: everybody on this machine can read those.
if [ -n "${API_KEY_FILE:-}" ]; then
  API_KEY=$(cat "$API_KEY_FILE") || fail 78 "the key cannot be read from $API_KEY_FILE"
  [ -n "$API_KEY" ] || fail 78 "$API_KEY_FILE is empty"
fi

# A line break would begin another header.
for value in "$USER_ID" "${API_KEY:-}"; do
  case $value in *[[:cntrl:]]*) fail 78 "USER_ID or the key has a line break or another control character" ;; esac
done

# Puts a token into $folder/token. `fetch_token rejected` says that Coze has rejected the one that is there: without that, the
# service would send the same token again, because it has not expired.
fetch_token() {
  if [ "${1:-}" = rejected ]; then
    jq -R '{rejected_token: .}' "$folder/token" >"$folder/request"
  else
    echo '{}' >"$folder/request"
  fi

  status=$(
    {
      printf 'Content-Type: application/json\nX-User-ID: %s\n' "$USER_ID"
      if [ -n "${API_KEY:-}" ]; then printf 'Authorization: Bearer %s\n' "$API_KEY"; fi
    } | curl --silent --show-error --max-time 20 --retry 3 --retry-max-time 120 --header @- --data "@$folder/request" \
      --output "$folder/response" --write-out '%{http_code}' "$TOKEN_URL"
  ) || fail 69 "the token service does not respond"

  if [ "$status" != 200 ]; then
    why=$(jq -r '"\(.error): \(.error_description) (request id \(.request_id))"' "$folder/response" 2>/dev/null) || why=
    [ -n "$why" ] || why="status $status"
    case $status in
      429 | 502 | 503 | 504) fail 69 "no token: $why" ;;
      401 | 403) fail 77 "no token: $why" ;;
      *) fail 78 "no token: $why" ;;
    esac
  fi
  # Any server can respond with 200. Older versions of jq end with 0 when the body is empty.
  jq -er '.access_token | strings | select(test("\\A[!-~]+\\z"))' "$folder/response" >"$folder/token" 2>/dev/null &&
    [ -s "$folder/token" ] || fail 78 "status 200 without a token; is TOKEN_URL right? It is $TOKEN_URL"
}

# Calls Coze, and prints the status.
call_coze() {
  sed 's/^/Authorization: Bearer /' "$folder/token" |
    curl --silent --show-error --max-time 60 --header @- --output "$folder/coze-response" --write-out '%{http_code}' "$COZE_API$1" ||
    fail 69 "Coze does not respond"
}

# Coze rejects a token with 401 or one of these codes.
is_rejected() { [ "$1" = 401 ] || [ "$(jq '.code | IN(4100, 4101, 700012006)' "$folder/coze-response" 2>/dev/null)" = true ]; }

fetch_token
status=$(call_coze /v1/users/me)
if is_rejected "$status"; then
  # Once: a new token that is rejected as well lacks a permission, and a third would not have it either.
  fetch_token rejected
  status=$(call_coze /v1/users/me)
  if is_rejected "$status"; then fail 77 "Coze rejects the token: $(jq -c '{code, msg, detail}' "$folder/coze-response")"; fi
fi
if [ "$status" != 200 ]; then fail 69 "Coze responded with status $status"; fi

line=$(jq -r '.data | select(.user_id) | "The job works for \(.nick_name) (\(.user_id))."' "$folder/coze-response" 2>/dev/null) ||
  line=
[ -n "$line" ] || fail 69 "Coze responded with status 200, and without a user"
printf '%s' "$line" | printable
