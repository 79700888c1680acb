#!/usr/bin/env bash
# A manifest as a Slurm array: each task makes its share, and is requeued until that is done.
#
#   sbatch --array=0-3 Scripts/examples/slurm-array.sh clips.jsonl
#
# Tasks may be pre-empted, killed or requeued at any time: a clip is done or it is made again.
#SBATCH --job-name=motionstream
#SBATCH --cpus-per-task=4
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=motionstream-%A-%a.log
# Slurm tells the script a minute before the time is up.
#SBATCH --signal=B:TERM@60
set -uo pipefail

manifest=${1:?usage: sbatch --array=0-3 slurm-array.sh MANIFEST [option ...]}
shift

motionstream=${MOTIONSTREAM:-motionstream}
# The batch stops by itself where the next clip would not end in time; 75 says that more is left.
"$motionstream" batch "$manifest" --shard auto --threads "${SLURM_CPUS_PER_TASK:-1}" \
  --time-limit "${MOTIONSTREAM_TIME_LIMIT:-3h}" --progress plain "$@" &
batch=$!
trap 'kill -TERM "$batch" 2> /dev/null' TERM
code=0
wait "$batch" || code=$?
# `wait` also ends when the signal comes; the second one gives the program's own code.
if kill -0 "$batch" 2> /dev/null; then
  code=0
  wait "$batch" || code=$?
fi

case $code in
  74 | 75 | 130 | 143)  # resumable: disk full, out of time, told to go
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}" && exit 0
    ;;
esac
exit "$code"
