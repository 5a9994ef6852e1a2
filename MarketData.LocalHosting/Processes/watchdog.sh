# Ends what the AppHost started when the AppHost could not do so itself (kill -9, out of memory).
#   $1  session: the value of LOCALHOSTING_SESSION in the environment of every process that the AppHost started
#   $2  directory to delete at the end
# Standard input: a line per process, its id, which is its process group's too; the id with a minus once the whole group is gone.
# End of file: the AppHost is gone.
session=$1 directory=$2 processes=
trap '' HUP INT TERM

# With the id, says which process it was: ids are used again. On Linux the 22nd field of stat; the 2nd, a name, may hold blanks.
start_time() {
  if [ -e /proc/self/stat ]; then
    { read -r stat < "/proc/$1/stat"; } 2> /dev/null || return
    set -- ${stat##*) }
    echo "${20}"
  else
    ps -o lstart= -p "$1" | tr -d ' '
  fi
}

forget() {
  kept=
  for process in $processes; do
    [ "${process%%:*}" = "$1" ] || kept="$kept $process"
  done
  processes=$kept
}

while read -r id; do
  case $id in
    -*) forget "${id#-}" ;;
    *) processes="$processes $id:$(start_time "$id")" ;;
  esac
done

# A group can outlive its first process; while it does, the number is not given to another.
# On Linux the environment also finds a process that had not been named here yet, or left its group.
signal_all() {
  left=0
  for process in $processes; do
    id=${process%%:*} now=$(start_time "$id")
    if [ -z "$now" ] || [ "$now" = "${process#*:}" ]; then
      kill -s "$1" -- "-$id" 2> /dev/null && left=1
    fi
  done
  if [ -e /proc/self/stat ]; then
    for file in $(grep -lsz "^LOCALHOSTING_SESSION=$session\$" /proc/[0-9]*/environ); do
      id=${file#/proc/}
      kill -s "$1" "${id%/environ}" 2> /dev/null && left=1
    done
  fi
}

signal_all TERM
tries=50
while [ "$left" = 1 ] && [ "$tries" -gt 0 ]; do
  sleep 0.1
  signal_all 0
  tries=$((tries - 1))
done
signal_all KILL
rm -rf -- "$directory"
