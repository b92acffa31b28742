import { type Admitted, parsePublicKeyBlob, verifyUserauth } from '@postern/shared';
import type { AuthContext, PublicKeyAuthContext } from 'ssh2';
import { type ServicePort, ServiceRefusal } from './service-port.ts';

export interface AdmissionHost {
  readonly service: ServicePort;
  readonly clientAddress: string;
  readonly failedAttempts: number;
  /** Called at most once, before the client hears of it; false refuses the login after all. */
  onAdmitted(admitted: Admitted, askedAt: number): Promise<boolean>;
  /** One line for the person, shown before the login is refused. */
  onRefused(line: string): void;
  /** Too many attempts, or the one admission was refused: the connection must end. */
  onExhausted(why: string): void;
  readonly monotonic: () => number;
}

/** What one authentication request is, decided without asking anybody. */
export type Attempt =
  | { readonly kind: 'refused'; readonly why: string }
  /** "Would this key do?" (RFC 4252 §7, no signature). Every Ed25519 key would. */
  | { readonly kind: 'probe' }
  | { readonly kind: 'signed'; readonly signature: Buffer; readonly blob: Buffer };

const SESSION_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Only a session's id as the user name, only a plain Ed25519 key, only with a good
 * signature of this connection: nothing else is worth a question to the service.
 */
export function classify(ctx: AuthContext): Attempt {
  if (!SESSION_ID.test(ctx.username))
    return { kind: 'refused', why: 'the user name is not a session' };
  if (ctx.method !== 'publickey') return { kind: 'refused', why: `${ctx.method} is not offered` };
  const { key, signature, blob } = ctx as PublicKeyAuthContext;
  if (key.algo !== 'ssh-ed25519')
    return { kind: 'refused', why: `${printableAlgorithm(key.algo)} is not accepted` };
  const parsed = parsePublicKeyBlob(key.data);
  if (!parsed.ok || parsed.value.type !== 'ssh-ed25519')
    return { kind: 'refused', why: 'not an Ed25519 key' };
  if (signature === undefined || blob === undefined) return { kind: 'probe' };
  const expected = { user: ctx.username, public_key: parsed.value.line };
  const verdict = verifyUserauth({ blob, signature, expected });
  if (!verdict.ok) return { kind: 'refused', why: verdict.reason };
  return { kind: 'signed', signature, blob };
}

/** The authentication of one connection; one admission is asked for, ever. */
export class Authentication {
  readonly #host: AdmissionHost;
  #requests = 0;
  #failures = 0;
  #asked = false;
  /** The connection is about to end: what still arrives gets no answer. */
  #over = false;

  constructor(host: AdmissionHost) {
    this.#host = host;
  }

  /** Never throws and never rejects: it is called from within ssh2. */
  on(ctx: AuthContext): void {
    if (this.#over) return;
    this.#requests += 1;
    // Every client begins with "none" to learn the methods; that is not an attempt.
    if (ctx.method === 'none' && this.#requests === 1) {
      ctx.reject(['publickey']);
      return;
    }
    const attempt = classify(ctx);
    if (attempt.kind === 'refused' || this.#asked) {
      const why = attempt.kind === 'refused' ? attempt.why : 'one attempt per connection';
      this.#failed(ctx, why);
      return;
    }
    if (attempt.kind === 'probe') {
      if (this.#requests > 4 * this.#host.failedAttempts) {
        this.#failed(ctx, 'too many keys');
        return;
      }
      ctx.accept();
      return;
    }
    this.#asked = true;
    this.#admit(ctx, attempt.blob, attempt.signature).catch((error: unknown) => {
      this.#refuse(ctx, 'sft: the gateway failed; try again', String(error));
    });
  }

  #failed(ctx: AuthContext, why: string): void {
    this.#failures += 1;
    this.#over = this.#failures >= this.#host.failedAttempts;
    ctx.reject(['publickey']);
    if (this.#over) this.#host.onExhausted(why);
  }

  async #admit(ctx: AuthContext, blob: Buffer, signature: Buffer): Promise<void> {
    const askedAt = this.#host.monotonic();
    let admitted: Admitted;
    try {
      admitted = await this.#host.service.admit({
        session_id: ctx.username,
        blob: blob.toString('base64'),
        signature: signature.toString('base64'),
        client_address: this.#host.clientAddress,
      });
    } catch (error) {
      if (error instanceof ServiceRefusal)
        return this.#refuse(ctx, `sft: refused: ${error.message}`, error.code);
      const line = 'sft: the gateway cannot reach the policy service; try again in a moment';
      return this.#refuse(ctx, line, String(error));
    }
    if (admitted.session_id !== ctx.username)
      return this.#refuse(ctx, 'sft: the policy service answered for another session', 'mixed up');
    if (await this.#host.onAdmitted(admitted, askedAt)) ctx.accept();
    else ctx.reject([]);
  }

  #refuse(ctx: AuthContext, line: string, why: string): void {
    this.#over = true;
    this.#host.onRefused(line);
    ctx.reject([]);
    this.#host.onExhausted(why);
  }
}

const printableAlgorithm = (name: string): string =>
  name.replace(/[^A-Za-z0-9@.-]/g, '?').slice(0, 64);
