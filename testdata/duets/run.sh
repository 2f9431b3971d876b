#!/bin/sh
# Duets whose answer is known: a build against itself, and against builds whose
# list of medications sleeps so that p95 is 20 % and 5 % higher.
#
#   STACK=embedded AA=4 sh testdata/duets/run.sh     # containers and 10 unless it is said
#
# A pair takes about a minute on containers: with 10 duets of a build with itself,
# an hour and a quarter. A machine that does other work ends inconclusive or invalid.
# Whether a slower build is found is asked with the tool's own looks (LOOKS), which go on
# while the answer is open; a build with itself is looked at once, after 5 pairs.
set -eu
STACK=${STACK:-containers} AA=${AA:-10} LOOKS=${LOOKS:-5,10,15} PAIRS=${PAIRS:-5} QUALIFY=${QUALIFY:-6} OUT=${OUT:-out/duets}
vitals=$OUT/vitals/bin/vitals
bad=0

# api builds a version whose list takes $1 longer, and says how a duet finds it.
# The usual list answers within 3 ms, where 20 % is less than the floor of 1 ms: so
# the base sleeps as well.
api() {
  CGO_ENABLED=0 go build -trimpath -tags faults -ldflags "-s -w -X vitals/server/fault.slow=$1" -o "$OUT/$1/bin/vitals" ./cmd/vitals
  if [ "$STACK" = embedded ]; then echo "binary:$OUT/$1/bin/vitals"; return; fi
  docker build -q -f Dockerfile -t "vitals-duets:$1" "$OUT/$1" >/dev/null 2>&1
  echo "image:vitals-duets:$1"
}

# duet NAME ARGUMENTS... keeps its output, and its exit code in $code.
duet() {
  name=$1; shift; code=0
  "$vitals" duet testdata/duets/medications.yaml --stack "$STACK" --warmup 4s --measure 11s --state "$OUT/state" --out "$OUT/$name" "$@" >"$OUT/$name.txt" 2>"$OUT/$name.log" || code=$?
}

# want NAME OK: says how it ended, and whether that is right.
want() {
  printf '%-14s exit %d  %s  %s\n' "$1" "$code" "$(grep -m1 'p95 medications:' "$OUT/$1.txt" || tail -n1 "$OUT/$1.log")" "$2"
  [ "$2" = ok ] || bad=1
}

mkdir -p "$OUT/vitals/bin"
CGO_ENABLED=0 go build -trimpath -o "$vitals" ./cmd/vitals
base=$(api 20ms)
duet qualification --qualify --base "$base" --looks "$QUALIFY"
[ "$code" = 0 ] || { cat "$OUT/qualification.log"; exit 3; }
p95=$("$vitals" compare "$OUT/qualification/base.json.gz" "$OUT/qualification/cand.json.gz" | awk '$1 == "medications" && $2 == "p95" {sub("ms", "", $3); print $3}')
slow=$(api "$(awk "BEGIN {printf \"%.0fus\", 20000 + 200 * $p95}")")
less=$(api "$(awk "BEGIN {printf \"%.0fus\", 20000 + 50 * $p95}")")
echo "qualified: p95 is $p95 ms; $slow is 20 % slower, $less 5 %"

duet slower --base "$base" --cand "$slow" --looks "$LOOKS"
if [ "$code" = 1 ] && grep -q 'p95(list medications).*worse' "$OUT/slower.txt"; then want slower ok; else want slower 'NOT FOUND'; fi
duet less --base "$base" --cand "$less" --looks "$LOOKS"
if [ "$code" = 1 ]; then want less 'FALSE ALARM'; else want less ok; fi
i=1
while [ "$i" -le "$AA" ]; do
  duet "itself-$i" --base "$base" --cand "$base" --looks "$PAIRS"
  if [ "$code" = 1 ]; then want "itself-$i" 'FALSE ALARM'; else want "itself-$i" ok; fi
  i=$((i + 1))
done
exit $bad
