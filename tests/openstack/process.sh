# shellcheck shell=bash
# Starting, finding and stopping processes. A pid file holds "pid starttime" (field 22 of /proc/PID/stat), and is
# worth nothing after a reboot, so that no process is ever taken for ours because it got the same number.

boot_id() { cat /proc/sys/kernel/random/boot_id; }

# One at a time: `lock SECONDS`, how long to wait for another up, down or service.
lock() {
    exec 9>"$RUN/lock"
    flock -w "$1" 9 || die "another up, down or service is at work on $DIR"
    [[ $(cat "$RUN/boot-id" 2>/dev/null) == "$(boot_id)" ]] || rm -f "$RUN"/*.pid
    boot_id >"$RUN/boot-id"
}

# What a test has stopped, another run's up must not start meanwhile.
refuse_while_tested() {
    exec 8>"$TESTS_LOCK"
    flock -n 8 || die "tests, or another up or down, are at work on $DIR: wait for their end"
}

# When process PID was started, in ticks since boot; nothing when it is gone or a zombie.
start_time() {
    local stat fields
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    read -ra fields <<<"${stat##*) }"
    [[ ${fields[0]} == Z ]] || echo "${fields[19]}"
}

# The pid of service NAME if it runs and is the one we started.
pid_of() {
    local pid started
    [[ -s $RUN/$1.pid ]] || return
    read -r pid started <"$RUN/$1.pid"
    [[ -n $started && $(start_time "$pid") == "$started" ]] || return
    echo "$pid"
}

runs() { pid_of "$1" >/dev/null; }

# start NAME COMMAND...: in a session of its own, so that its process group is its pid.
start() {
    local name=$1 child
    shift
    runs "$name" && return
    # The pid is written before the service begins: whatever happens to us, no process of ours is unknown. Descriptors 8
    # and 9 are the locks: a service that inherits them would hold them for ever.
    (cd "$DIR" && pid=$BASHPID && echo "$pid $(start_time "$pid")" >"$RUN/$name.pid" && exec setsid "$@") \
        >>"$LOG/$name.log" 2>&1 </dev/null 8>&- 9>&- &
    child=$!
    until runs "$name"; do
        [[ -n $(start_time "$child") ]] || die "$name ended at once, see $LOG/$name.log"
        sleep 0.02
    done
}

# Living processes of process group PGID: workers can outlive the process we started.
group_of() { ps -e -o pid=,pgid=,stat= | awk -v group="$1" '$2 == group && $3 !~ /^Z/ { print $1 }'; }

# stop SECONDS NAME...: asks all of them to end, waits, then kills what is left of their groups.
stop() {
    local patience=$1 name tries
    shift
    declare -A pids=()
    for name in "$@"; do
        if pids[$name]=$(pid_of "$name"); then
            # A paused process takes SIGTERM only once it goes on.
            kill -TERM "${pids[$name]}" || true
            kill -CONT -- "-${pids[$name]}" || true
        else
            unset "pids[$name]"
        fi
    done
    for ((tries = patience * 10; tries > 0; tries--)); do
        any_runs "${!pids[@]}" || break
        sleep 0.1
    done
    for name in "${!pids[@]}"; do
        [[ -z $(group_of "${pids[$name]}") ]] || kill -KILL -- "-${pids[$name]}" 2>/dev/null || true
    done
    for name in "$@"; do rm -f "$RUN/$name.pid"; done
}

any_runs() {
    local name
    for name in "$@"; do runs "$name" && return; done
    return 1
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A WSGI service answers "/" with its versions (200 or 300), or wants a token (401).
answers() {
    local code
    code=$(curl --silent --output /dev/null --max-time 20 --write-out '%{http_code}' "$1" || true)
    [[ $code == 200 || $code == 300 || $code == 401 ]]
}

# await NAME SECONDS CHECK...: until CHECK succeeds.
await() {
    local name=$1 deadline=$((SECONDS + $2))
    shift 2
    until "$@"; do
        runs "$name" || die "$name ended, see $LOG/$name.log"
        ((SECONDS < deadline)) || die "$name: no answer in time, see $LOG/$name.log"
        sleep 0.2
    done
}
