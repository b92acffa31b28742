import type { Client, ClientChannel, Connection, ServerChannel } from 'ssh2';

// What ssh2 1.17 has no public way for. The version is pinned exactly; every function here
// checks the shape it relies on and does nothing when it is not there, except that
// test/ssh-seams.test.ts fails then. Nothing outside this file touches a private field.

interface PacketWriter {
  allocStart: number;
  allocStartKEX: number;
  alloc(size: number, duringKex?: boolean): Buffer;
  finalize(packet: Buffer, duringKex?: boolean): Buffer;
}

interface Protocol {
  _kexinit: unknown;
  _packetRW: { write: PacketWriter };
  _cipher: { encrypt(packet: Buffer): void };
}

interface ChannelState {
  outgoing: { id: number; window: number; state: string };
  _chunk: unknown;
  _chunkcb: unknown;
  _chunkErr: unknown;
  _chunkcbErr: unknown;
}

const MESSAGE = { disconnect: 1, userauthBanner: 53 } as const;

/**
 * Call it after each completed write to a server channel, before the next one. ssh2 keeps
 * the chunk that once waited for window space; the next time the other stream waits, it
 * would send that old chunk again in its place.
 */
export function forgetStalledChunk(channel: ServerChannel): void {
  const state = channel as unknown as ChannelState;
  state._chunk = undefined;
  state._chunkcb = undefined;
  state._chunkErr = undefined;
  state._chunkcbErr = undefined;
}

/**
 * Sends the exit status on a channel whose EOF is already sent: RFC 4254 §6.10 allows it,
 * sshd does it, ssh2's `exit` silently does not.
 */
export function exitAfterEof(channel: ServerChannel, send: () => void): void {
  const { outgoing } = channel as unknown as ChannelState;
  const before = outgoing.state;
  if (before !== 'eof') {
    send();
    return;
  }
  outgoing.state = 'open';
  try {
    send();
  } finally {
    outgoing.state = before;
  }
}

/**
 * Node destroys a stream when both directions have ended, and for ssh2 to destroy a channel
 * is to close it: a command that has closed its output while it still runs would be hung up
 * and its exit status lost. After this only `close` closes the channel.
 */
export function keepUntilClosed(channel: ClientChannel): void {
  (channel as { destroy: () => ClientChannel }).destroy = () => channel;
}

/** A line for the person, while a login is being decided (RFC 4252 §5.4). */
export function sendBanner(client: Connection, text: string): void {
  const protocol = protocolOf(client);
  if (protocol === undefined || protocol._kexinit !== undefined) return;
  const message = Buffer.from(`${text}\r\n`, 'utf8');
  const payload = Buffer.concat([
    Buffer.from([MESSAGE.userauthBanner]),
    sized(message),
    sized(Buffer.alloc(0)),
  ]);
  send(protocol, payload, false);
}

/** Ends the connection with a reason the client shows (RFC 4253 §11.1). */
export function disconnect(client: Connection, reason: number, text: string): void {
  const protocol = protocolOf(client);
  if (protocol === undefined) return;
  const code = Buffer.alloc(4);
  code.writeUInt32BE(reason);
  const description = sized(Buffer.from(text, 'utf8'));
  const language = sized(Buffer.alloc(0));
  const payload = Buffer.concat([Buffer.from([MESSAGE.disconnect]), code, description, language]);
  send(protocol, payload, true);
}

/** Fresh keys towards a target (RFC 4253 §9); ssh2 offers this to servers only. */
export function rekeyTarget(target: Client): void {
  (target as unknown as { _protocol?: { rekey?: () => void } })._protocol?.rekey?.();
}

function send(protocol: Protocol, payload: Buffer, duringKex: boolean): void {
  const writer = protocol._packetRW.write;
  const at = duringKex ? writer.allocStartKEX : writer.allocStart;
  const packet = writer.alloc(payload.length, duringKex);
  packet.set(payload, at);
  protocol._cipher.encrypt(writer.finalize(packet, duringKex));
}

function protocolOf(client: Connection): Protocol | undefined {
  const protocol = (client as unknown as { _protocol?: Protocol })._protocol;
  return typeof protocol?._packetRW?.write?.alloc === 'function' ? protocol : undefined;
}

function sized(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
