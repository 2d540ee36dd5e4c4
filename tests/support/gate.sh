# gate.sh: sourced by tests that want to do something while a run stands still in the middle of its work. A function or trigger of
# the test's waits for a lock that the test holds; nothing depends on a clock.
# shellcheck shell=sh

gate_number=4711

# make_gate DATABASE: the function public.wait_at_gate() waits while the gate of that database is closed.
make_gate() {
    psql -Xq -v ON_ERROR_STOP=1 -d "$1" <<SQL
CREATE FUNCTION public.wait_at_gate() RETURNS void LANGUAGE sql AS
    'SELECT pg_catalog.pg_advisory_xact_lock_shared($gate_number)';
SQL
}

# close_gate DATABASE: and the keeper stays there until open_gate.
close_gate() {
    gate_database=$1
    mkfifo gate.fifo
    psql -XAtq -d "$1" <gate.fifo >/dev/null &
    gate_keeper=$!
    exec 9>gate.fifo
    rm gate.fifo
    echo "SELECT pg_advisory_lock($gate_number);" >&9
    until [ "$(gate_count 'granted')" = 1 ]; do :; done
}

gate_count() {
    psql -XAtqd "$gate_database" -c "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = $gate_number
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND $1"
}

# wait_at_gate PROCESS [COUNT]: until so many sessions (1) stand there. False: the process has ended.
wait_at_gate() {
    until [ "$(gate_count 'NOT granted')" -ge "${2:-1}" ]; do
        kill -0 "$1" 2>/dev/null || return 1
    done
}

open_gate() {
    echo '\q' >&9 # whoever was started meanwhile has the FIFO open as well
    exec 9>&-
    wait "$gate_keeper" || :
}
