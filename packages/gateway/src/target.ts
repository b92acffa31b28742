import type { Socket } from 'node:net';
import type { Admitted } from '@postern/shared';
import type { AnyAuthMethod, KeyboardInteractiveAuthMethod, Client as SshClient } from 'ssh2';
import { type Reached, type ReachWorld, reachTarget } from './reach.ts';
import { loginFailed } from './target-failure.ts';

export interface Target {
  readonly client: SshClient;
  readonly socket: Socket;
}

/**
 * An authenticated SSH connection to the admitted session's target. Only a pinned host key
 * is accepted, before any credential is sent.
 * @param early a connection to the very address that was admitted, if there is one already.
 * @throws TargetFailure, nothing else.
 */
export async function connectTarget(
  admitted: Admitted,
  world: ReachWorld,
  early?: Reached,
): Promise<Target> {
  if (early !== undefined) {
    const heard = early.socket.bytesRead;
    try {
      return await login(early, admitted, world);
    } catch (error) {
      const wasDead = early.socket.bytesRead === heard && !isTimeout(error);
      if (!wasDead || world.abort.aborted) throw loginFailed(error as Error, admitted);
      // The target had hung up before it was asked: as if it had not been reached.
    }
  }
  const reached = await reachTarget(admitted.server_name, admitted.target, world);
  try {
    return await login(reached, admitted, world);
  } catch (error) {
    throw loginFailed(error as Error, admitted);
  }
}

async function login(reached: Reached, admitted: Admitted, { abort }: ReachWorld): Promise<Target> {
  // Ended meanwhile: whatever was under way is not finished.
  if (abort.aborted) reached.close();
  abort.addEventListener('abort', () => reached.close());
  return { client: await reached.login(methodsOf(admitted)), socket: reached.socket };
}

/** A password, in whichever of the two ways the target asks for it. */
function methodsOf({ target: { username, credential } }: Admitted): AnyAuthMethod[] {
  if (credential.type === 'private_key')
    return [{ type: 'publickey', username, key: credential.private_key }];
  const { password } = credential;
  const prompt: KeyboardInteractiveAuthMethod['prompt'] = (
    _name,
    _text,
    _lang,
    prompts,
    answer,
  ) => {
    const asksPassword = prompts.length === 1 && prompts[0]?.echo === false;
    answer(asksPassword ? [password] : []);
  };
  return [
    { type: 'password', username, password },
    { type: 'keyboard-interactive', username, prompt },
  ];
}

const isTimeout = (error: unknown): boolean => (error as { code?: string }).code === 'ETIMEDOUT';
