#!/bin/sh
# audits.sh N: N full audits of the reference API on the container stack with two
# replicas, one after the other, a line for each. Ends with 1 at the first that
# fails, whose audit.json stays in out/audits. Run it by `make audits AUDITS=N`.
set -u
n=${1:?usage: audits.sh N}
cd "$(dirname "$0")/.."
dir=out/audits
mkdir -p "$dir"
# The image is built once instead of for each audit.
docker build -q -t vitals/api:audits . >"$dir/build.txt" 2>&1 || { cat "$dir/build.txt"; exit 4; }
export VITALS_API_IMAGE=vitals/api:audits

i=0
while [ $((i += 1)) -le "$n" ]; do
	began=$(date +%s)
	bin/vitals audit --stack containers --short-clock --out "$dir/$i" >"$dir/$i.txt" 2>"$dir/$i.err"
	code=$?
	counts=$(sed -n 's/^\([0-9]* PASS, [0-9]* FAIL, [0-9]* SKIP\).*/\1/p' "$dir/$i.txt")
	invariants=$(sed -n 's/^Rate-limit invariants, \(.*\)/\1/p' "$dir/$i.txt")
	skipped=$(sed -n 's/^  SKIP  *\([A-Z0-9]*\) .*/\1/p' "$dir/$i.txt" | tr '\n' ' ')
	echo "audit $i of $n: exit $code, ${counts:-no counts}, ${invariants:-no invariants}, $(($(date +%s) - began)) s, skipped: ${skipped:-none}"
	case $code in
	0 | 3) # 3: nothing failed, and not all could be proved on this machine
		[ -n "$counts" ] || exit 1
		rm -rf "$dir/$i" ;;
	*)
		grep -A 3 '^  FAIL' "$dir/$i.txt"
		tail -n 3 "$dir/$i.err"
		echo "kept: $dir/$i/audit.json"
		exit 1 ;;
	esac
done
echo "skipped in the last, and why:"
grep -A 1 '^  SKIP' "$dir/$n.txt"
exit 0
