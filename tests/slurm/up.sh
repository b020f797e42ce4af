#!/usr/bin/env bash
# Start a one-node SLURM by hand, as root, without systemd and cgroups: up.sh FOLDER [accounting]
# Everything it makes lies in FOLDER; down.sh FOLDER stops what this started and puts back the rest.
set -euo pipefail
folder="$1" accounting="${2:-}"
node="$(hostname -s)"
memory_mb="$(awk '/MemTotal/ {print int($2 / 1024 * 0.9)}' /proc/meminfo)"
cpus=8                            # more than there are: SLURM is to start jobs side by side
mkdir -p "$folder"/{state,spool,log,pid,dev,etc}

if pgrep -x -r D,R,S slurmctld >/dev/null || pgrep -x -r D,R,S slurmd >/dev/null; then
  echo "a SLURM runs on this machine already; the tests start one of their own" >&2
  exit 1
fi

packages=(slurm-wlm munge)
[ -z "$accounting" ] || packages+=(slurmdbd mariadb-server)
if ! dpkg -s "${packages[@]}" >/dev/null 2>&1; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${packages[@]}" \
    >"$folder/log/apt.log" 2>&1 || { tail -20 "$folder/log/apt.log" >&2; exit 1; }
fi

# down.sh puts back what was there: a job step looks for the configuration in /etc/slurm alone.
for file in slurm.conf gres.conf cgroup.conf slurmdbd.conf; do
  if [ -e "/etc/slurm/$file" ]; then cp -p "/etc/slurm/$file" "$folder/etc/$file"; fi
  echo "$file" >>"$folder/etc/replaced"
done
if ! getent hosts "$node" >/dev/null; then
  echo "127.0.0.1 $node # sparsesum-test" >>/etc/hosts
fi

if ! pgrep -x munged >/dev/null; then
  install -d -o munge -g munge -m 0755 /run/munge
  if [ ! -s /etc/munge/munge.key ]; then
    install -o munge -g munge -m 0400 /dev/null /etc/munge/munge.key
    head -c 1024 /dev/urandom >/etc/munge/munge.key
  fi
  setpriv --reuid munge --regid munge --init-groups /usr/sbin/munged
  cp /run/munge/munged.pid "$folder/pid/munged.pid"
fi
munge -n | unmunge >/dev/null

storage="AccountingStorageType=accounting_storage/none"
if [ -n "$accounting" ]; then
  storage="AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort=26819
AccountingStorageTRES=gres/gpu
AccountingStoreFlags=job_comment"
fi
cat >/etc/slurm/slurm.conf <<CONF
ClusterName=sparsesum
SlurmctldHost=$node(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
SlurmctldPort=26817
SlurmdPort=26818
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/pid/slurmctld.pid
SlurmdPidFile=$folder/pid/slurmd.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.log
# No cgroups, no systemd.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=2
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
EnforcePartLimits=ALL
SlurmdParameters=config_overrides
SchedulerParameters=bf_interval=5,sched_interval=5
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
KillWait=5
OverTimeLimit=0
MinJobAge=600
GresTypes=gpu
$storage
NodeName=$node NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$memory_mb Gres=gpu:fake:2 State=UNKNOWN
PartitionName=cpu Nodes=$node Default=YES MaxTime=1-0 State=UP
PartitionName=gpu Nodes=$node MaxTime=1-0 State=UP
CONF
# GPUs that are none: SLURM hands them out, and torch finds nothing.
for number in 0 1; do mknod -m 666 "$folder/dev/gpu$number" c 1 3; done
printf '%s\n' AutoDetect=off "NodeName=$node Name=gpu Type=fake File=$folder/dev/gpu[0-1]" \
  >/etc/slurm/gres.conf
# SLURM 22.05 knows no "disabled": v1 is loaded, and nothing uses it.
printf '%s\n' CgroupPlugin=cgroup/v1 CgroupAutomount=no ConstrainCores=no ConstrainRAMSpace=no \
  ConstrainDevices=no >/etc/slurm/cgroup.conf

wait_for() {                      # wait_for SECONDS COMMAND...
  local tries="$(($1 * 5))"
  shift
  until "$@" >/dev/null 2>&1; do
    if [ "$((tries -= 1))" -le 0 ]; then echo "not up in time: $*" >&2; exit 1; fi
    sleep 0.2
  done
}

if [ -n "$accounting" ]; then
  socket="$folder/mysql/socket"
  install -d -o mysql -g mysql "$folder/mysql"
  mariadb-install-db --no-defaults --user=mysql --datadir="$folder/mysql" --skip-test-db \
    --auth-root-authentication-method=socket >"$folder/log/mysql_install.log" 2>&1
  setsid mariadbd --no-defaults --user=mysql --datadir="$folder/mysql" --socket="$socket" \
    --skip-networking --pid-file="$folder/mysql/pid" --innodb-buffer-pool-size=128M \
    --innodb-lock-wait-timeout=900 >"$folder/log/mariadbd.log" 2>&1 </dev/null &
  echo $! >"$folder/pid/mariadbd.pid"
  wait_for 60 mariadb-admin --no-defaults --socket="$socket" ping
  mariadb --no-defaults --socket="$socket" -e "CREATE DATABASE slurm_acct_db;
    CREATE USER 'slurm'@'localhost' IDENTIFIED BY 'slurm';
    GRANT ALL ON slurm_acct_db.* TO 'slurm'@'localhost';"
  install -m 0600 /dev/null /etc/slurm/slurmdbd.conf
  printf '%s\n' AuthType=auth/munge DbdHost=localhost DbdPort=26819 SlurmUser=root \
    LogFile="$folder/log/slurmdbd.log" PidFile="$folder/pid/slurmdbd.pid" \
    StorageType=accounting_storage/mysql StorageHost=localhost StorageUser=slurm \
    StoragePass=slurm StorageLoc=slurm_acct_db >/etc/slurm/slurmdbd.conf
  MYSQL_UNIX_PORT="$socket" slurmdbd
  wait_for 60 sacctmgr -n show cluster
  sacctmgr -i add cluster sparsesum >/dev/null
  sacctmgr -i add account bills Description=bills Organization=bills >/dev/null
  sacctmgr -i add user root account=bills >/dev/null
fi

slurmctld
slurmd
idle() { [ "$(sinfo -h -N -p cpu -o %t)" = idle ]; }
wait_for 60 idle
