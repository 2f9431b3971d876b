#!/bin/sh
# Do clients that are none of ours see what our own driver reports? wrk, hydra and
# slowhttptest are sent at `vitals serve` on loopback, our driver beside them, and
# their findings are set side by side. Loopback only, about 90 seconds.
# Exit code: 0 they agree, 1 they do not, 2 a program is missing.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH= cd -- "$here/../.." && pwd)

missing=
for program in wrk hydra slowhttptest curl; do
	command -v $program >/dev/null || missing="$missing $program"
done
if [ -n "$missing" ]; then
	echo "not run: missing$missing; on Debian: apt-get install$missing" >&2
	exit 2
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/outside.XXXXXX")
server=
leave() {
	[ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" || true; }
	rm -rf "$work"
}
trap leave EXIT
trap 'exit 130' INT TERM

cd "$root"
vitals=${VITALS:-$work/vitals}
[ -n "${VITALS:-}" ] || CGO_ENABLED=0 go build -o "$vitals" ./cmd/vitals
go build -o "$work/figures" ./testdata/outside
cd "$work"

# The settings of the embedded stack: every production limit is on.
export ENV=test HOST=127.0.0.1 PORT=0 ADMIN_ADDR=127.0.0.1:0 LOG_FORMAT=json DATABASE_URL="sqlite:$work/clinic.db"
export CORS_DISABLE=true MAIL_SINK=none SHUTDOWN_DRAIN_DELAY=0
SECRET_KEY=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
VITALS_SEED_PASSWORD=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
export SECRET_KEY VITALS_SEED_PASSWORD
password=$VITALS_SEED_PASSWORD
"$vitals" serve seed --accounts 160 >seed.log
"$vitals" serve --ready-file ready.json >api.log 2>&1 &
server=$!
n=0
until [ -s ready.json ]; do
	n=$((n + 1))
	[ $n -lt 100 ] || { echo "the API does not start:" >&2; tail -5 api.log >&2; exit 1; }
	sleep 0.1
done
address=$(sed 's/.*"addr":"\([^"]*\)".*/\1/' ready.json)
admin=$(sed 's/.*"admin":"\([^"]*\)".*/\1/' ready.json)

disagreed=0
printf '%-46s %14s %14s   %s\n' "" outside ours ""
# row WHAT OUTSIDE OURS VERDICT
row() {
	printf '%-46s %14s %14s   %s\n' "$1" "$2" "$3" "$4"
	[ "$4" = agree ] || disagreed=1
}
field() { sed -n "s/^$2:.* $3 \([0-9.]*\).*/\1/p" "$1"; }

# 1. wrk. Two users' worth of load side by side, so that a busy machine disturbs
# both alike: ten connections each, a pause of 50 ms, the same request.
email() { printf 'patient-%06d@clinic.test' "$1"; }
for n in $(seq 1 60); do
	curl -s -H 'Content-Type: application/json' -d "{\"email\":\"$(email "$n")\",\"password\":\"$password\"}" "http://$address/api/v1/auth/login" |
		sed 's/.*"access_token":"\([^"]*\)".*/\1/'
	echo
done | grep . >tokens
{
	echo email,password
	for n in $(seq 61 140); do echo "$(email "$n"),$password"; done
} >accounts.csv
seen=$(wc -l <api.log)
"$vitals" run "$here/same.yaml" --url "http://$address" --accounts accounts.csv --targets "$here/targets.yaml" --out out >ours.log 2>&1 &
ours=$!
until tail -n +"$seen" api.log | grep -q '"route":"[^"]*/api/v1/medications"'; do
	kill -0 $ours 2>/dev/null || { cat ours.log >&2; exit 1; }
	sleep 0.05
done
TOKENS=tokens PAUSE_MS=50 wrk --latency -t1 -c10 -d15s -s "$here/wrk.lua" "http://$address" >wrk.log 2>&1
wait $ours || true # its verdict on this machine is not the question here
./figures out/document.json >figures.log

# near A B: within 10 %, or within a step of 0.25 ms, the finest of the API's own histogram here
near() { awk -v a="$1" -v b="$2" 'BEGIN { d = a > b ? a - b : b - a; m = a > b ? a : b; exit !(d <= 0.10 * m || d <= 250) }'; }
for what in p50 p95; do
	a=$(field wrk.log wrk $what) b=$(field figures.log ours $what)
	near "$a" "$b" && v=agree || v=DISAGREE
	row "wrk: $what of list medications, µs" "$a" "$b" $v
done
rate() { awk -v n="$(field "$1" "$2" requests)" -v s="$(field "$1" "$2" seconds)" 'BEGIN { printf "%.0f", n / s }'; }
a=$(rate wrk.log wrk) b=$(rate figures.log ours)
near "$((a * 1000))" "$((b * 1000))" && v=agree || v=DISAGREE
row "wrk: requests per second" "$a" "$b" $v
a=$(field wrk.log wrk errors) b=$(field figures.log ours errors)
[ "$a $b" = "0 0" ] && v=agree || v=DISAGREE
row "wrk: answers that were no success" "$a" "$b" $v

# 2. slowhttptest. Headers, then a body, dribbled by 20 connections; the audit's
# probe does the same with 500.
slowhttptest -H -c 20 -r 20 -i 1 -l 9 -u "http://$address/health" >headers.log 2>&1 &
h=$!
slowhttptest -B -c 20 -r 20 -i 1 -l 19 -s 1000 -f application/json -u "http://$address/api/v1/auth/login" >body.log 2>&1 || true
wait $h || true
"$vitals" audit --url "http://$address" --profile clinic --i-own 127.0.0.1 --class intrusive --accounts accounts.csv --only SH4 --out audit >audit.log 2>&1 || true
# cut FILE: the second in which no connection was left
cut() { tr -d '\033' <"$1" | sed 's/\[[0-9;]*m//g' | awk '/Test ended on/ { s = $4 + 0 } /No open connections left/ { print s }'; }
lived() { sed -n "s/.*connections lived \([0-9.]*m\{0,1\}s\) with headers, \([0-9.]*m\{0,1\}s\) with bodies.*/\\$1/p" audit.log audit/audit.json 2>/dev/null | head -1; }
for what in headers body; do
	[ $what = headers ] && { limit=5 which=1; } || { limit=15 which=2; }
	a=$(cut $what.log) b=$(lived $which)
	awk -v a="${a:-99}" -v b="${b:-99}" -v l=$limit 'BEGIN { sub("s", "", b); exit !(a >= l - 1 && a <= l + 2 && b + 0 >= l - 1 && b + 0 <= l + 2) }' && v=agree || v=DISAGREE
	row "slowhttptest: slow $what cut after, limit ${limit}s" "${a:-never}s" "${b:-unknown}" $v
done

# 3. hydra, last, for it locks this address. First with the right password alone,
# so that "none found" means something; then with the right one as the twelfth of
# twenty. It takes a 401 for trouble and may ask twice, so refusals are a minimum.
guess() {
	timeout 60 hydra -l "$(email 150)" -P "$1" -t 4 -I -s "${address##*:}" 127.0.0.1 http-post-form \
		"/api/v1/auth/login:{\"email\"\\:\"^USER^\",\"password\"\\:\"^PASS^\"}:H=Content-Type\\: application/json:S=access_token" >hydra.log 2>&1 || true
	grep -c 'login:.*password:' hydra.log || true
}
answers() { curl -s "http://$admin/metrics" | awk -v s="status=\"$1\"" '/^http_requests_total/ && /auth\/login/ && index($0, s) { n += $NF } END { print n + 0 }'; }
echo "$password" >right
for n in $(seq 1 20); do
	[ "$n" = 12 ] && echo "$password" || echo "wrong-guess-$n"
done >words
a=$(guess right)
[ "$a" = 1 ] && v=agree || v=DISAGREE
row "hydra: finds the right password alone" "$a" 1 $v
before401=$(answers 401) before429=$(answers 429)
found=$(guess words)
a=$(($(answers 401) - before401)) b=$(field figures.log ours judged)
[ "$a $b" = "5 5" ] && v=agree || v=DISAGREE
row "hydra: wrong passwords judged, of 19" "$a" "$b" $v
refused=$(($(answers 429) - before429)) b=$(field figures.log ours leaked)
[ "$found $b" = "0 0" ] && [ $refused -ge 15 ] && v=agree || v=DISAGREE
row "hydra: right passwords let past the lock" "$found" "$b" $v

[ -z "${KEEP:-}" ] || cp -r "$work" "$KEEP"
exit $disagreed
