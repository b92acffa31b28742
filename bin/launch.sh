# Read by the programs in this folder, which set `root`. It starts no other process on the
# way, so that the programs start as quickly as Node does.

# launch NAME BUNDLE SOURCE [ARGUMENT…]: runs the bundle, or the source when there is none or
# something was committed, pulled or checked out since; on the pinned Node, or on the machine's
# where npm has none for the platform. Whether a file was edited since is not looked at.
launch() {
  name=$1 bundle=$root/$2 source=$root/$3
  shift 3
  node=
  for pinned in "$root"/node_modules/node-*/bin/node; do
    if [ -x "$pinned" ]; then node=$pinned; fi
  done
  if [ ! -e "$root/node_modules/.postern-installed" ]; then
    root=$(cd -- "$root" && pwd -P)
    printf '%s\n' "$name: nothing is installed in $root yet." \
      "Run \`npm run demo\` there to see it work, or \`npm run build\` to install only." >&2
    exit 78
  fi
  if [ -z "$node" ]; then node=node; fi
  # Node can hang at its exit while another thread compiles (nodejs/node#54918): the client,
  # which exits all the time, compiles where it runs; the service only what is compiled first.
  flags=--no-concurrent-sparkplug
  # The client also has room for all it makes in its short life: collecting took a sixth of its
  # time. The service keeps less: what is young in it is garbage after one request. And of its
  # database it optimizes what goes on being used, not whatever its start runs through.
  if [ "$name" = posternd ]; then
    flags="$flags --max-semi-space-size=8 --wasm-tiering-budget=150000000"
  else
    flags="$flags --no-concurrent-recompilation --min-semi-space-size=16"
  fi
  # shellcheck disable=SC2086 # these are several words
  if [ -f "$bundle" ] && [ ! "$root/.git/logs/HEAD" -nt "$bundle" ]; then
    # The client is so small that looking for compiled code takes longer than compiling.
    if [ "$name" != posternd ]; then exec "$node" $flags "$bundle" "$@"; fi
    source=$bundle
  else
    flags="$flags --disable-warning=ExperimentalWarning"
  fi
  # Compiled code is kept in the clone: whoever can write there can write the source too.
  NODE_COMPILE_CACHE=$(cd -- "$root" && pwd -P)/node_modules/.cache/compiled
  export NODE_COMPILE_CACHE
  # shellcheck disable=SC2086
  exec "$node" $flags "$source" "$@"
}
