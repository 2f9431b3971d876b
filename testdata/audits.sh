#!/bin/sh
# N full audits in a row of the container stack with two replicas, a line each.
# The first that fails, or does not come to its end, ends it; its document stays.
# A SKIP is no failure here, and is named: what cannot be shown on this machine.
set -u
cd "$(dirname "$0")/.."
n=${1:-20}
for i in $(seq "$n"); do
	out=out/audits/$i
	mkdir -p "$out"
	began=$(date +%s)
	bin/vitals audit --stack containers --short-clock --out "$out" >"$out/audit.txt" 2>"$out/progress.txt"
	code=$?
	printf 'audit %d of %d: %s, exit %d, %d s; %s; skipped:%s\n' "$i" "$n" \
		"$(grep -E '^[0-9]+ PASS, ' "$out/audit.txt" | sed 's/ (.*//')" "$code" "$(($(date +%s) - began))" \
		"$(sed -n 's/^History of //p' "$out/audit.txt")" "$(sed -n 's/^  SKIP  \([A-Z0-9]*\).*/ \1/p' "$out/audit.txt" | tr -d '\n')"
	case $code in
	0 | 3) ;;
	*)
		cat "$out/audit.txt" "$out/progress.txt" | tail -40
		exit 1
		;;
	esac
done
