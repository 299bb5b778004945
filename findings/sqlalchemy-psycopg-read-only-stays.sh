#!/usr/bin/env bash
# SQLAlchemy 2.1.9 with psycopg 3.3.9: one read-only transaction makes the pooled connection forget the server's default.
# Where default_transaction_read_only=on (a default against accidents, no protection), new transactions only read. After
# one transaction with the execution option postgresql_readonly=True, which lasts until the connection goes back to its
# pool, the same connection begins each later transaction as READ WRITE: SQLAlchemy sets psycopg's read_only back to
# False, "read and write", instead of None, "as the server says". Whether a write is done then depends on who had
# the connection before.
# Who heeds the server's default must not use postgresql_readonly on the same pool.
# Fails if that changes. Needs Python 3, a package index, and PostgreSQL's server (Debian: postgresql).
set -euo pipefail
folder=$(mktemp -d)
bin=$(dirname "$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1 || command -v initdb)")
as=()
if [[ $(id -u) -eq 0 ]]; then # PostgreSQL does not run as root
    as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    chmod 755 "$folder"
    install -d -o 65534 -g 65534 "$folder/server"
fi
stop() {
    "${as[@]}" "$bin/pg_ctl" -D "$folder/server/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap stop EXIT
mkdir -p "$folder/server"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check sqlalchemy==2.1.9 'psycopg[binary]==3.3.9'
cd "$folder/server"
"${as[@]}" "$bin/initdb" -D "$folder/server/data" -A trust -U owner >/dev/null
"${as[@]}" "$bin/pg_ctl" -D "$folder/server/data" -w -l "$folder/server/log" \
    -o "-k $folder/server -c listen_addresses='' -c default_transaction_read_only=on" start >/dev/null
"$bin/postgres" --version
"$folder/venv/bin/python" - "$folder/server" <<'PYTHON'
import sys

from sqlalchemy import create_engine, text

address = f"postgresql+psycopg://owner@/postgres?host={sys.argv[1]}"


def read_only(engine, **options):
    with engine.connect().execution_options(**options) as connection:
        return connection.scalar(text("show transaction_read_only")), connection.connection.driver_connection.read_only


engine = create_engine(address, pool_size=1, max_overflow=0)
before = read_only(engine)
asked = read_only(engine, postgresql_readonly=True)
after = read_only(engine)
print("transaction_read_only and psycopg's read_only: at first", before, "- asked for", asked, "- afterwards", after)
assert before == ("on", None) and asked == ("on", True) and after == ("off", False)

with engine.begin() as connection:
    connection.execute(text("create table written (x int)"))
print("a table is created on a server that is read-only by default")
PYTHON
