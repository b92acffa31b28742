import type { FastifyInstance } from 'fastify';
import { registerAccount } from './routes-account.ts';
import { registerInvite } from './routes-invite.ts';
import { registerLogin } from './routes-login.ts';
import { type LoginWorld, showError, takeFormsAndCalls } from './routes-page.ts';

/** The pages on which people log in, set their password and look after both. */
export async function registerLoginRoutes(app: FastifyInstance, world: LoginWorld): Promise<void> {
  // A scope of its own: forms are taken here and nowhere else.
  await app.register(async (scope) => {
    takeFormsAndCalls(scope);
    scope.setErrorHandler(showError);
    registerLogin(scope, world);
    registerInvite(scope, world);
    registerAccount(scope, world);
  });
}
