#!/usr/bin/env bash
# Stop what up.sh started in FOLDER, newest first, and put back what it replaced: down.sh FOLDER
set -uo pipefail
folder="$1"
for daemon in slurmd slurmctld slurmdbd mariadbd munged; do
  pid="$(cat "$folder/pid/$daemon.pid" 2>/dev/null)" || continue
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$daemon" ] || continue
  kill "$pid"
  for _ in $(seq 150); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
  ! kill -0 "$pid" 2>/dev/null || kill -9 "$pid"
done
if [ -e "$folder/etc/replaced" ]; then
  while read -r file; do
    if [ -e "$folder/etc/$file" ]; then
      cp -p "$folder/etc/$file" "/etc/slurm/$file"
    else
      rm -f "/etc/slurm/$file"
    fi
  done <"$folder/etc/replaced"
  rm "$folder/etc/replaced"
fi
# Not sed -i: in a container /etc/hosts is mounted and cannot be replaced.
if grep -q '# sparsesum-test$' /etc/hosts; then
  kept="$(grep -v '# sparsesum-test$' /etc/hosts)"
  printf '%s\n' "$kept" >/etc/hosts
fi
