export interface Words {
  readonly program: 'sft' | 'sft-admin';
  readonly commands: readonly {
    readonly path: string;
    readonly summary: string;
    readonly flags: readonly string[];
  }[];
}

/** All words in these scripts are our own; names of hosts are asked from `sft` when they are needed. */
export function scriptFor(shell: 'bash' | 'zsh' | 'fish', words: Words): string {
  if (shell === 'fish') return fish(words);
  // zsh reads bash's completions through its own bashcompinit.
  return shell === 'bash'
    ? bash(words)
    : `autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bash(words)}`;
}

const HOSTS =
  "sft list-servers --columns HOSTNAME 2>/dev/null | sed 1d | grep -E '^[A-Za-z0-9.-]+$'";

function bash({ program, commands }: Words): string {
  const name = `_${program.replace('-', '_')}_complete`;
  const cases = [...below(commands)].map(
    ([before, next]) => `    '${before}') words='${next.join(' ')}' ;;`,
  );
  const flags = commands.map(
    ({ path, flags }) => `      '${path}' | '${path} '*) words='${flags.join(' ')}' ;;`,
  );
  const hosts = program === 'sft' ? `    'ssh') words="$(${HOSTS})" ;;\n` : '';
  return `${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path='' words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in -*) ;; *) path="\${path:+$path }\${COMP_WORDS[i]}" ;; esac
  done
  case "$path" in
${cases.join('\n')}
${hosts}  esac
  case "$current" in
    -*) case "$path" in
${flags.join('\n')}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F ${name} ${program}
`;
}

function fish({ program, commands }: Words): string {
  const said = (text: string) => text.replaceAll("'", "\\\\'");
  const start = `complete -c ${program} -f`;
  const lines = commands.flatMap(({ path, summary, flags }) => {
    const [first = '', second] = path.split(' ');
    const when =
      second === undefined
        ? '-n __fish_use_subcommand'
        : `-n '__fish_seen_subcommand_from ${first}'`;
    const seen = `-n '__fish_seen_subcommand_from ${second ?? first}'`;
    return [
      ...(second === undefined ? [] : [`${start} -n __fish_use_subcommand -a ${first}`]),
      `${start} ${when} -a ${second ?? first} -d '${said(summary)}'`,
      ...flags.map((flag) => `${start} ${seen} -l ${flag.slice(2)}`),
    ];
  });
  const hosts =
    program === 'sft'
      ? [`${start} -n '__fish_seen_subcommand_from ssh' -a '(${HOSTS.replaceAll("'", '"')})'`]
      : [];
  return [...new Set([...lines, ...hosts]), ''].join('\n');
}

/** What may follow the words that have been typed: '' → the first words, 'request' → list, … */
function below(commands: Words['commands']): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { path } of commands) {
    const [first = '', second] = path.split(' ');
    const add = (before: string, word: string) =>
      found.set(before, [...new Set([...(found.get(before) ?? []), word])]);
    add('', first);
    if (second !== undefined) add(first, second);
  }
  return found;
}
