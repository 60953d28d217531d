#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# burst-solve and `burst plan` as processes: exit statuses, messages, the line protocol.
set -u
: "${srcdir:=.}" "${builddir:=.}"
solve=$builddir/burst-solve
catalog=$srcdir/catalog/data
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
XDG_CACHE_HOME=$dir/cache BURST_LIBEXECDIR=$builddir
export XDG_CACHE_HOME BURST_LIBEXECDIR
cp -r "$catalog" "$dir/catalog" && chmod -R u+w "$dir/catalog"
failed=0

check() { # description, expected, got
    if [ "$2" = "$3" ]; then
        echo "ok - $1"
    else
        echo "not ok - $1: expected [$2], got [$3]"
        failed=1
    fi
}

has() { # description, file, text
    if grep -qF -- "$3" "$2"; then
        echo "ok - $1"
    else
        echo "not ok - $1: no [$3] in:"
        head -c 600 "$2"
        failed=1
    fi
}

good='{"tasks":[{"name":"a","any_of":[{"accelerator":"V100","hours":2}]}]}'
none='{"tasks":[{"name":"a","any_of":[{"accelerator":"Z9"}]}]}'
bad='{"tasks":[{"name":"a","any_of":[{"hours":"long"}]}]}'

echo "$good" >"$dir/good.json"
$solve --catalog "$dir/catalog" "$dir/good.json" >"$dir/out" 2>"$dir/err"
check "a plan: status" 0 $?
has "a plan: json" "$dir/out" '"status":"optimal"'
echo "$none" | $solve --catalog "$dir/catalog" - >"$dir/out" 2>"$dir/err"
check "no plan: status" 1 $?
has "no plan: reason" "$dir/out" 'accelerator Z9: no instance of the catalog has it'
echo "$bad" | $solve --catalog "$dir/catalog" - >"$dir/out" 2>"$dir/err"
check "bad request: status" 2 $?
has "bad request: names the field" "$dir/err" 'tasks[0].any_of[0].hours: must be a number'
$solve --catalog "$dir/nowhere" "$dir/good.json" >"$dir/out" 2>"$dir/err"
check "no catalog: status" 3 $?
$solve --catalog "$dir/catalog" "$dir/absent.json" >"$dir/out" 2>"$dir/err"
check "no request file: status" 3 $?

"$builddir/burst" plan --catalog "$dir/catalog" "$dir/good.json" >"$dir/out" 2>"$dir/err"
check "burst plan: status" 0 $?
has "burst plan: a table" "$dir/out" 'proven to be the cheapest'
echo "$none" | "$builddir/burst" plan --catalog "$dir/catalog" - >"$dir/out"
check "burst plan: no plan" 1 $?
echo "$bad" | "$builddir/burst" plan --json --catalog "$dir/catalog" - >"$dir/out" 2>"$dir/err"
check "burst plan: bad request" 2 $?
"$builddir/burst" catalog check --catalog "$dir/catalog" >"$dir/out"
check "burst catalog check: the starter catalog is sound" 0 $?
"$builddir/burst" catalog list --catalog "$dir/catalog" -a nvidia-tesla-v100 -n 4 --limit 1 \
    --noheader --json >"$dir/out"
check "burst catalog list: status" 0 $?
has "burst catalog list: alias and count" "$dir/out" '"accelerator_count":	4'
"$builddir/burst" catalog list --catalog "$dir/catalog" -a Z9 >"$dir/out" 2>"$dir/err"
check "burst catalog list: nothing matches" 1 $?

{
    printf '%s\n' '{"id":1,"tasks":[{"name":"a","any_of":[{"accelerator":"T4"}]}]}'
    printf '%s\n' 'garbage' ''
    printf '%s\n' '{"id":2,"tasks":[]}' '{"id":"x","cmd":"reload"}' '{"id":3,"cmd":"dance"}'
    printf '%s\n' '{"id":4,"cmd":"offers","shape":{"any_of":[{"accelerator":"H100","count":8}],"clouds":["lambda"]}}'
    printf '%s\n' '{"id":5,"cmd":"offers"}'
    head -c 100000 /dev/zero | tr '\0' '['
    printf '\n%s\n' '{"id":6,"tasks":[{"name":"a","any_of":[{}]}]}'
} | $solve --catalog "$dir/catalog" --serve >"$dir/out" 2>"$dir/err"
check "serve: ends with its input" 0 $?
check "serve: one answer a line" 9 "$(wc -l <"$dir/out")"
line() { sed -n "$1p" "$dir/out" >"$dir/line"; }
line 1 && has "serve: plan" "$dir/line" '{"id":1,"status":"optimal"'
line 2 && has "serve: garbage" "$dir/line" '"code":"invalid"'
line 3 && has "serve: bad request" "$dir/line" '{"id":2,"error":"tasks: must list at least one task","code":"invalid"}'
line 4 && has "serve: reload" "$dir/line" '{"id":"x","reloaded":true,"offers":387'
line 5 && has "serve: unknown command" "$dir/line" '{"id":3,"error":"cmd: unknown command'
line 6 && has "serve: offers" "$dir/line" '"instance_type":"gpu_8x_h100_sxm5"'
line 7 && has "serve: offers without a shape" "$dir/line" '"code":"invalid"'
line 8 && has "serve: too deep" "$dir/line" 'levels deep'
line 9 && has "serve: goes on" "$dir/line" '{"id":6,"status":"optimal"'
exit $failed
