/** What a client may ask for on an authenticated connection. */
export type Ask =
  | { readonly kind: 'shell' }
  | { readonly kind: 'exec' }
  | { readonly kind: 'subsystem'; readonly name: string }
  | { readonly kind: 'direct-tcpip' }
  | { readonly kind: 'tcpip-forward' }
  | { readonly kind: 'cancel-tcpip-forward' }
  | { readonly kind: 'x11' }
  | { readonly kind: 'agent' }
  | { readonly kind: 'streamlocal' };

export type Verdict =
  | { readonly allowed: true }
  /** One line for the person, without a prefix. */
  | { readonly allowed: false; readonly why: string };

const NEEDS: Readonly<Partial<Record<Ask['kind'], string>>> = {
  shell: 'shell',
  exec: 'exec',
  'direct-tcpip': 'local_forward',
  'tcpip-forward': 'remote_forward',
  'cancel-tcpip-forward': 'remote_forward',
};

/** Nothing but what `channels` names; a kind that is not known here is refused. */
export function mayOpen(ask: Ask, channels: readonly string[]): Verdict {
  if (ask.kind === 'subsystem' && ask.name !== 'sftp') return never('subsystems other than sftp');
  const needed = ask.kind === 'subsystem' ? 'sftp' : NEEDS[ask.kind];
  if (needed === undefined) return never(REFUSED_KINDS[ask.kind] ?? ask.kind);
  if (channels.includes(needed)) return { allowed: true };
  const granted = channels.length === 0 ? 'nothing' : channels.join(', ');
  return { allowed: false, why: `this access does not include ${needed}, only ${granted}` };
}

const REFUSED_KINDS: Readonly<Partial<Record<Ask['kind'], string>>> = {
  x11: 'X11 forwarding',
  agent: 'agent forwarding',
  streamlocal: 'forwarding of unix sockets',
};

const never = (what: string): Verdict => ({
  allowed: false,
  why: `${what} cannot be used through the gateway`,
});

/** The only variables that cross the gateway: none that a program would run or load. */
export function mayPassVariable(name: string): boolean {
  return name === 'LANG' || name === 'TERM' || /^LC_[A-Z]{1,32}$/.test(name);
}

// RFC 4254 §6.10.
const SIGNALS = new Set('ABRT ALRM FPE HUP ILL INT KILL PIPE QUIT SEGV TERM USR1 USR2'.split(' '));

/** @returns the signal's name without SIG, or undefined when it is not passed on. */
export function signalToPass(name: string): string | undefined {
  const bare = name.replace(/^SIG/, '');
  return SIGNALS.has(bare) ? bare : undefined;
}
