import { createTransport } from 'nodemailer';
import { isLoopback } from '../platform/networks.ts';
import { isMailAddress } from './mailbox.ts';
import { DELIVERED, type Letter, type MailSettings, type Outcome } from './model.ts';
import { renderMail } from './render-mail.ts';

export type SendMail = (
  letter: Letter,
  address: string | null,
  signal: AbortSignal,
) => Promise<Outcome>;

const CONNECT_MS = 10_000;
const SILENCE_MS = 20_000;
/** However slowly the server talks: well within the lease of a message. */
const WHOLE_MS = 60_000;

/** Sends mail, each on a connection of its own. The password is nowhere but in here. */
export function mailSender(settings: MailSettings): SendMail {
  const { url, from } = settings;
  const transport = createTransport(connectionOptions(settings));
  const host = from.address.slice(from.address.lastIndexOf('@') + 1);
  return async (letter, address, signal) => {
    if (address === null || !isMailAddress(address))
      return failed('the address is none that mail can be sent to', 'message', true);
    const { subject, text, html } = renderMail(letter);
    try {
      await transport.sendMail({
        from,
        to: { name: '', address },
        envelope: { from: from.address, to: address },
        subject,
        text,
        html,
        date: new Date(letter.created_at),
        messageId: `<${letter.id}@${host}>`,
        headers: { 'X-Postern-Message-Id': letter.id, 'Auto-Submitted': 'auto-generated' },
        signal: AbortSignal.any([signal, AbortSignal.timeout(WHOLE_MS)]),
      });
      return DELIVERED;
    } catch (error) {
      return outcomeOf(error, url.protocol);
    }
  };
}

function connectionOptions({ url, allow_plaintext }: MailSettings) {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const secure = url.protocol === 'smtps:';
  const local = isLoopback(host);
  return {
    host,
    port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
    secure,
    // Mails carry links that decide: they leave this host encrypted unless it is said otherwise.
    requireTLS: !secure && !local && !allow_plaintext,
    ignoreTLS: !secure && local,
    opportunisticTLS: !secure && allow_plaintext,
    ...(url.username === ''
      ? {}
      : {
          auth: {
            user: decodeURIComponent(url.username),
            pass: decodeURIComponent(url.password),
          },
        }),
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    dnsTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    socketCloseTimeout: 1_000,
    logger: false,
    disableFileAccess: true,
    disableUrlAccess: true,
  } as const;
}

const failed = (error: string, of: 'message' | 'destination', permanent = false): Outcome => ({
  result: 'failed',
  error,
  of,
  permanent,
});

/**
 * What a failure means. Only the code and the command of the server's answer are taken over:
 * its words may repeat what was sent to it.
 */
function outcomeOf(error: unknown, protocol: string): Outcome {
  const { code, command, responseCode } = error as {
    code?: unknown;
    command?: unknown;
    responseCode?: unknown;
  };
  const answered =
    typeof responseCode === 'number' && responseCode >= 400 ? responseCode : undefined;
  if (answered === undefined) {
    const why =
      typeof code === 'string' && /^[A-Z_0-9]{1,40}$/.test(code) ? code : 'no reason given';
    return failed(
      `the mail server could not be reached by ${protocol.slice(0, -1)} (${why})`,
      'destination',
    );
  }
  const about =
    typeof command === 'string'
      ? /^(RCPT TO|DATA|MAIL FROM|AUTH|EHLO)/.exec(command)?.[1]
      : undefined;
  const text = `the mail server answered ${answered} to ${about ?? 'the connection'}`;
  // A recipient or a text that it refuses says nothing of the others. 421: it goes away.
  const ofMessage = (about === 'RCPT TO' || about === 'DATA') && answered !== 421;
  return failed(text, ofMessage ? 'message' : 'destination', ofMessage && answered >= 500);
}
