import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** One mail as it came over the wire. */
export interface Received {
  readonly to: string;
  readonly from: string;
  readonly raw: string;
  readonly id: string;
}

/** A real SMTP receiver on loopback that can go away and come back at the same port. */
export interface Receiver {
  readonly port: number;
  readonly mails: Received[];
  up(): Promise<void>;
  down(): Promise<void>;
}

export const SMTP_USER = 'postern';
export const SMTP_PASSWORD = 'hunter2-smtp/secret';

export async function receiver(options: SMTPServerOptions = {}): Promise<Receiver> {
  const mails: Received[] = [];
  let server: SMTPServer | undefined;
  let port = 0;
  const up = async (): Promise<void> => {
    const made = new SMTPServer({
      authOptional: true,
      allowInsecureAuth: true,
      disabledCommands: ['STARTTLS'],
      disableReverseLookup: true,
      closeTimeout: 100,
      onAuth: ({ username, password }, _, done) =>
        username === SMTP_USER && password === SMTP_PASSWORD
          ? done(null, { user: username })
          : done(new Error('Invalid username or password')),
      onData: (stream, { envelope }, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          mails.push(received(Buffer.concat(chunks).toString(), envelope));
          done();
        });
      },
      ...options,
    });
    made.on('error', () => {});
    await new Promise<void>((listening, failed) => {
      made.once('error', failed);
      made.listen(port, '127.0.0.1', listening);
    });
    port = (made.server.address() as AddressInfo).port;
    server = made;
  };
  const down = async (): Promise<void> => {
    const gone = server;
    server = undefined;
    if (gone !== undefined) await new Promise<void>((closed) => gone.close(closed));
  };
  await up();
  return { port, mails, up, down };
}

type Envelope = {
  readonly mailFrom: false | { readonly address: string };
  readonly rcptTo: readonly { readonly address: string }[];
};

export function received(raw: string, { mailFrom, rcptTo }: Envelope): Received {
  return {
    raw,
    to: rcptTo.map(({ address }) => address).join(','),
    from: mailFrom === false ? '' : mailFrom.address,
    id: headerOf(raw, 'x-postern-message-id') ?? '',
  };
}

/** A header's value, unfolded. */
export function headerOf(raw: string, name: string): string | undefined {
  const head = (raw.split('\r\n\r\n')[0] ?? '').replaceAll(/\r\n[ \t]/g, ' ').split('\r\n');
  const line = head.find((text) => text.toLowerCase().startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}
