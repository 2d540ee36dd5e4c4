#!/bin/sh
# golden.sh FOLDER: run FOLDER/cmd and hold it against FOLDER/stdout, stderr and status.
#
# The command is a shell line that runs in a scratch copy of the folder. It finds the program as $BACKSTORY and the
# samples as $SAMPLES, a relative path, so that what it prints is the same on every machine. With
# BACKSTORY_UPDATE_GOLDEN=1 the three files are written instead of compared: `git diff` is then the review.
set -eu

folder=$(cd "$1" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/bst-golden.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP INT TERM

cp -R "$folder" "$scratch/case"
ln -s "$SAMPLES" "$scratch/samples"
cd "$scratch/case"
rm -f cmd stdout stderr status

status=0
env SAMPLES=../samples LC_ALL=C.UTF-8 TZ=UTC \
    sh "$folder/cmd" >"$scratch/stdout" 2>"$scratch/stderr" </dev/null || status=$?
echo "$status" >"$scratch/status"

if [ "${BACKSTORY_UPDATE_GOLDEN:-0}" = 1 ]; then
    cp "$scratch/stdout" "$scratch/stderr" "$scratch/status" "$folder/"
    exit 0
fi
same=0
for stream in status stderr stdout; do
    diff -u --label "expected $stream" --label "$stream" "$folder/$stream" "$scratch/$stream" || same=1
done
exit "$same"
