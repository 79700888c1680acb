#!/usr/bin/env bash
# A manifest over the processors of one machine, or over several machines, with GNU parallel.
#
#   Scripts/examples/gnu-parallel.sh clips.jsonl 4
#   PARALLEL_OPTIONS='--sshlogin host1,host2' Scripts/examples/gnu-parallel.sh clips.jsonl 8
#
# Run it again to go on after an interruption, or after mending what failed.
set -euo pipefail

manifest=${1:?usage: gnu-parallel.sh MANIFEST [SHARDS [option ...]]}
shards=${2:-$(nproc)}
shift $(($# < 2 ? $# : 2))
motionstream=${MOTIONSTREAM:-motionstream}
threads=$((($(nproc) + shards - 1) / shards))

# Shards are small processes with a model each; --resume-failed runs those again that ended with
# another code than 0. --halt never: one shard's failure is not the others' affair.
# shellcheck disable=SC2086  # several options in one variable
seq 0 $((shards - 1)) | parallel ${PARALLEL_OPTIONS:-} --jobs "$shards" --line-buffer --tag \
  --joblog "$manifest.joblog" --resume-failed --halt never --termseq TERM,20000,KILL,25 \
  "$motionstream" batch "$manifest" --shard {}/"$shards" --threads "$threads" \
  --progress plain "$@"
