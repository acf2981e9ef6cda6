#!/bin/sh
# One token a reader and a class, scoped to its buckets, each into a volume of its own. What is there stays: a
# token is made once; to replace one, delete it (`influx auth delete`) and its file, and start this again.
set -eu
INFLUX_TOKEN=$(cat /run/secrets/influxdb_admin_token)
export INFLUX_TOKEN

buckets() { influx bucket list --hide-headers | cut -f1,2 | awk -F '\t' -v of="$1/" 'index($2, of) == 1 { print $1 }'; }

# make FILE OWNER NAME DATABASES read|write
make() {
  if [ -s "$1" ]; then return; fi
  set -- "$1" "$2" "$3" "$4" "$5" --read-dbrps
  if [ "$5" = write ]; then set -- "$@" --read-orgs; fi # it looks for its buckets by the name of the organisation
  for database in $4; do
    found=$(buckets "$database")
    if [ -z "$found" ]; then echo "tokens: no bucket of $database; is 'store create' done?" >&2; exit 1; fi
    for id in $found; do
      set -- "$@" --read-bucket "$id"
      if [ "$5" = write ]; then set -- "$@" --write-bucket "$id"; fi
    done
  done
  file=$1 owner=$2 name=$3
  shift 5
  line=$(influx auth create --description "taishi $name" --hide-headers "$@")
  umask 077
  printf '%s' "$line" | cut -f3 | tr -d '\n' > "$file.part"
  chown "$owner" "$file.part"
  mv "$file.part" "$file"
}

make /tokens/writer/taishi_influxdb_token 10001:10001 writer "taishi taishi_care" write
make /tokens/reader/taishi_influxdb_token 10001:10001 reader "taishi taishi_care" read
make /tokens/grafana/influxdb_district 472:0 "grafana district" "taishi" read
make /tokens/grafana/influxdb_care 472:0 "grafana care" "taishi_care" read
